insert into policies (study_id, name, document, sha256, author, saved_at)
select id, 'later', '{"name": "later", "criteria": {}}', 'ef', 'ada@example.org', now() from studies;
-- What a mistyped number of places left behind.
insert into slots (study_id, mode, condition, number, image_set, in_design)
select id, 'live', 'natural', 9999, 8, false from studies;
