insert into participants (id, study_id, version_id, link_id, pseudonym, mode, crowd_group, platform, condition,
    image_set, slot_id, claim, stage, seed, consent_sha256, enrolled_at, leased_at, lease_until, last_seen_at,
    ended_at, total_ms, passed, posting)
select '00000000-0000-7000-8000-000000000001', studies.id, study_versions.id, links.id, 'p-sample', 'live', 'crowd',
    'mturk', 'natural', 0, slots.id, 'kept', 'complete', 1, '\x04', now(), now(), now(), now(), now(), 400000, true, 1
from studies, study_versions, links, slots;
insert into participant_tokens (sha256, participant_id, issued_at) select '\x05', id, now() from participants;
insert into once_only (family, platform, worker_hmac, participant_id) select 'sample', 'mturk', '\x06', id from participants;
insert into identities (participant_id, platform, worker_id, assignment_id, receipt)
select id, 'mturk', 'WORKER', 'ASSIGNMENT', 'receipt' from participants;
insert into schedule (participant_id, block, attempt, trial_index, trial_id, max_side, reference_order)
select participants.id, 'main', 1, 1, trials.id, 'left', '{1}' from participants, trials;
insert into responses (participant_id, block, attempt, trial_index, response, choice_side, correct, confidence, rt,
    time_elapsed, input, presentations, hidden_ms, load_wait, display_scale, answered_at)
select id, 'main', 1, 1, 0, 'left', true, 3, 1500.5, 60000, 'mouse', 1, 0, 0, 1, now() from participants;
insert into events (participant_id, tab, seq, kind, at_ms, server_at, detail)
select id, 1, 1, 'focus_loss', 5, now(), '{}' from participants;
