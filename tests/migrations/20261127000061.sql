-- Two of one day are one row; a person's second assignment, and a token that came with it.
insert into arrivals (link_id, kind, day, n) select id, 'incomplete', '2026-11-27', 2 from links;
insert into assignments (participant_id, number, assignment_id, hit_id, seen_at)
select participant_id, 2, assignment_id || 'B', hit_id, now() from assignments;
update participant_tokens set assignment = 2;
