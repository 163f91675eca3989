insert into installation (key_fingerprint) values ('\x01');
insert into studies (slug, family, state, pinned_policy, went_live_at, created_at)
values ('sample', 'sample', 'live', '{"name": "as-posted", "criteria": {}, "conditions": {}}', now(), now());
insert into study_versions (study_id, number, sha256, structure_sha256, definition, imported_at)
select id, 1, '\x02', '\x03', '{}', now() from studies;
insert into images (sha256, address, media_type, bytes)
values ('\xaa', 'aa', 'image/png', '\x00'), ('\xbb', 'bb', 'image/png', '\x00'), ('\xcc', 'cc', 'image/png', '\x00');
insert into trials (version_id, position, condition, kind, image_set, unit, layer, branch, base, max_query, min_query,
    reference_groups, base_activation, max_activation, min_activation)
select id, 1, 'natural', 'main', 0, 'unit', 'layer', 'branch', '\xaa', '\xbb', '\xcc', '[["aa"]]', 2, 1, 0.5
from study_versions;
insert into links (study_id, code, name, mode, platform, crowd_group, conditions, created_at)
select id, 'code', 'Link', 'live', 'mturk', 'crowd', '{natural}', now() from studies;
insert into slots (study_id, mode, condition, number, image_set)
select id, 'live', 'natural', 1, 0 from studies;
insert into enrolment_counters (study_id, mode, enrolled) select id, 'live', 1 from studies;
insert into arrivals (link_id, kind, at) select id, 'arrived', now() from links;
