insert into not_admitted (study_id, platform, worker_hmac) select id, 'mturk', '\x0b' from studies;
insert into journal (number, at, actor, action, study, participant, detail, previous_sha256, sha256)
values (1, now(), 'ada@example.org', 'withdrawn', 'demo', 'p-1', '{}', '', '\x0c');
