insert into policies (study_id, name, document, sha256, author, saved_at)
select id, 'strict', '{"name": "strict", "criteria": {}}', 'ab', 'ada@example.org', now() from studies;
