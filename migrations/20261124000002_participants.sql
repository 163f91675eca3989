-- Participants, what they were shown, and what they answered.

create table participants (
    id uuid primary key,
    study_id bigint not null references studies,
    version_id bigint not null references study_versions,
    link_id bigint not null references links,
    pseudonym text not null unique,
    mode text not null check (mode in ('live', 'pilot', 'simulated')),
    crowd_group text not null check (crowd_group in ('crowd', 'expert')),
    platform text not null check (platform in ('direct', 'mturk', 'prolific', 'connect', 'sona', 'generic')),
    condition text not null,
    image_set integer not null,
    slot_id bigint references slots,
    claim text not null check (claim in ('leased', 'lost', 'kept', 'excluded', 'surplus', 'released', 'without')),
    stage text not null check (stage in
        ('consented', 'instructed', 'practised', 'running', 'complete', 'abandoned', 'withdrawn')),
    end_reason text check (end_reason in ('left', 'screened_out')),
    screen text,
    seed bigint not null,
    tab integer not null default 0,
    practice_attempt smallint not null default 1,
    consent_sha256 bytea not null,
    enrolled_at timestamptz not null,
    leased_at timestamptz not null,
    lease_until timestamptz not null,
    last_seen_at timestamptz not null,
    started_at timestamptz,
    instructed_at timestamptz,
    practised_at timestamptz,
    running_at timestamptz,
    ended_at timestamptz,
    -- The experiment clock: ms since Welcome, by the browser's monotonic clock.
    clock_ms double precision,
    clock_at timestamptz,
    clock_discrepancy_s double precision,
    instruction_ms double precision,
    instruction_load_wait_ms double precision not null default 0,
    total_ms double precision,
    posting integer check (posting >= 1),
    -- The verdict under the enrolment policy, once complete.
    passed boolean,
    -- Finished after the slot had gone to somebody else.
    late boolean not null default false,
    browser text,
    system text,
    screen_width integer,
    screen_height integer,
    window_width integer,
    window_height integer,
    pixel_ratio double precision,
    feedback text,
    check ((claim in ('leased', 'kept')) <= (slot_id is not null)),
    check ((stage = 'complete') <= (ended_at is not null and total_ms is not null and passed is not null))
);
-- A slot holds one person at a time: somebody at work or somebody kept. Slots are per mode.
create unique index one_person_per_slot on participants (slot_id) where claim in ('leased', 'kept');
create unique index postings_are_numbered_once on participants (slot_id, posting) where posting is not null;
create index participants_by_slot on participants (slot_id);
create index participants_by_study on participants (study_id, mode, enrolled_at);

create table participant_tokens (
    sha256 bytea primary key,
    participant_id uuid not null references participants,
    issued_at timestamptz not null
);
create index participant_tokens_by_participant on participant_tokens (participant_id);

-- The once-only rule: one row per person and study family, by a keyed hash.
create table once_only (
    family text not null,
    platform text not null,
    worker_hmac bytea not null,
    participant_id uuid not null references participants,
    primary key (family, platform, worker_hmac)
);

-- Personal data: the only table that holds a platform's ids. It is needed for paying people and can be emptied.
create table identities (
    participant_id uuid primary key references participants,
    platform text not null,
    worker_id text not null,
    assignment_id text,
    hit_id text,
    submit_to text,
    receipt text not null
);

-- What a participant is shown, drawn once.
create table schedule (
    participant_id uuid not null references participants,
    block text not null check (block in ('practice', 'main')),
    attempt smallint not null check (attempt >= 1),
    trial_index smallint not null check (trial_index >= 1),
    trial_id bigint not null references trials,
    max_side text not null check (max_side in ('left', 'right')),
    reference_order smallint[] not null,
    primary key (participant_id, block, attempt, trial_index)
);

create table responses (
    participant_id uuid not null,
    block text not null,
    attempt smallint not null,
    trial_index smallint not null,
    response smallint not null,
    choice_side text not null check (choice_side in ('left', 'right')),
    correct boolean not null,
    confidence smallint not null,
    rt double precision,
    continue_rt double precision,
    time_elapsed double precision not null,
    input text not null check (input in ('mouse', 'touch', 'key')),
    presentations integer not null,
    hidden_ms double precision not null,
    load_wait double precision not null,
    display_scale double precision not null,
    answered_at timestamptz not null,
    primary key (participant_id, block, attempt, trial_index),
    foreign key (participant_id, block, attempt, trial_index) references schedule
);

create table events (
    id bigint generated always as identity primary key,
    participant_id uuid not null references participants,
    -- Where the browser numbered it; null for what the server recorded.
    tab integer,
    seq integer,
    kind text not null,
    at_ms double precision,
    server_at timestamptz not null,
    detail jsonb not null
);
create unique index events_are_stored_once on events (participant_id, tab, seq);
create index events_in_order on events (participant_id, server_at);

-- What the criteria are measured on, counted from the answers.
create view tallies as
select r.participant_id,
       count(*) as answers,
       count(*) filter (where t.kind = 'catch' and r.correct) as catch_correct,
       count(*) filter (where t.kind = 'catch') as catch_total,
       count(*) filter (where t.kind = 'main' and r.correct) as main_correct,
       count(*) filter (where t.kind = 'main') as main_total,
       count(*) filter (where r.block = 'main' and r.choice_side = 'left') as left_answers,
       count(*) filter (where r.block = 'main' and r.choice_side = 'right') as right_answers,
       count(distinct r.attempt) filter (where r.block = 'practice') as practice_blocks,
       sum(r.load_wait) as load_wait_ms
from responses r
join schedule s using (participant_id, block, attempt, trial_index)
join trials t on t.id = s.trial_id
group by r.participant_id;
