-- Whatever is read of a study is found by its people, and costs what the study is large, however much else the database holds.

-- The answers of one person, counted: what criteria are measured on. (A view over everybody's answers was counted as a whole for
-- each person, as long as the planner did not know better.)
alter view tallies rename to counted;
create function tally_of(person uuid) returns table (
    answers bigint, catch_correct bigint, catch_total bigint, main_correct bigint, main_total bigint,
    left_answers bigint, right_answers bigint, practice_blocks bigint, load_wait_ms double precision
) language sql stable as $$
    select count(*),
           count(*) filter (where t.kind = 'catch' and r.correct),
           count(*) filter (where t.kind = 'catch'),
           count(*) filter (where t.kind = 'main' and r.correct),
           count(*) filter (where t.kind = 'main'),
           count(*) filter (where r.block = 'main' and r.choice_side = 'left'),
           count(*) filter (where r.block = 'main' and r.choice_side = 'right'),
           count(distinct r.attempt) filter (where r.block = 'practice'),
           coalesce(sum(r.load_wait), 0)
    from responses r
    join schedule s using (participant_id, block, attempt, trial_index)
    cross join lateral (select kind from trials where id = s.trial_id offset 0) t
    where r.participant_id = person
$$;

-- The same of everybody who completed, kept from then on: after that, no answer comes or changes. So pages need not read every
-- answer of a large study.
create table tallies (
    participant_id uuid primary key references participants,
    answers bigint not null,
    catch_correct bigint not null,
    catch_total bigint not null,
    main_correct bigint not null,
    main_total bigint not null,
    left_answers bigint not null,
    right_answers bigint not null,
    practice_blocks bigint not null,
    load_wait_ms double precision not null
);
-- Once for all, whatever the planner thinks of it.
with counted as materialized (select * from counted)
insert into tallies
select c.* from participants p join counted c on c.participant_id = p.id where p.stage = 'complete';
drop view counted;

-- Each person has a few dozen rows, however many people there are. What PostgreSQL estimates from a sample, or found when there
-- were three people, would have it expect a person's rows to be a good part of the table.
alter table responses alter column participant_id set (n_distinct = -0.04);
alter table schedule alter column participant_id set (n_distinct = -0.04);
alter table events alter column participant_id set (n_distinct = -0.04);

-- Earlier studies are searched for a person at the door, whatever their families are called.
create index once_only_by_person on once_only (worker_hmac);

-- Whenever a slot may have become free, those who passed without one are looked for.
create index participants_without_slot on participants (study_id, mode, ended_at) where claim = 'surplus';
