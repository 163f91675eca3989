insert into policies (study_id, name, document, sha256, author, saved_at)
select id, 'strict', '{"name": "strict", "criteria": {}}', 'ab', 'ada@example.org', now() from studies;
-- Several could be frozen.
insert into policies (study_id, name, document, sha256, author, saved_at, frozen_at)
select id, name, jsonb_build_object('name', name, 'criteria', '{}'::jsonb), 'cd', 'ada@example.org', now(), now() + n * interval '1 hour'
from studies, (values ('second', 2), ('first', 1), ('third', 2)) as frozen (name, n);
