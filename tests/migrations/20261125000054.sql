insert into policies (study_id, name, document, sha256, author, saved_at)
select id, 'later', '{"name": "later", "criteria": {}}', 'ef', 'ada@example.org', now() from studies;
