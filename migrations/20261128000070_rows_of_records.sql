-- What a batch of records brings comes as arrays of rows: one parameter for each table, which PostgreSQL takes apart several times faster
-- than an array for each column. A program that needs other columns makes a type of another name, so that programs of both versions can
-- run beside each other while one replaces the other.
create type row_revision as (id uuid, revision text);

create type new_answer as (
    participant_id uuid, block text, attempt smallint, trial_index smallint, response smallint, choice_side text, correct boolean,
    confidence smallint, rt double precision, continue_rt double precision, time_elapsed double precision, input text,
    presentations integer, hidden_ms double precision, load_wait double precision, display_scale double precision,
    answered_at timestamptz, device_scale double precision, frame_ms double precision, pointerdown_rt double precision,
    continue_hidden_ms double precision
);

create type participant_change as (
    id uuid, revision text, stage text, screen text, practice_attempt smallint, lease_until timestamptz, last_seen_at timestamptz,
    started_at timestamptz, instructed_at timestamptz, practised_at timestamptz, running_at timestamptz,
    clock_ms double precision, clock_at timestamptz, clock_discrepancy_s double precision, instruction_ms double precision,
    instruction_load_wait_ms double precision, seen_ms double precision, instruction_bound_ms double precision,
    events_dropped integer
);

create type drawn_trial as (
    participant_id uuid, block text, attempt smallint, trial_index smallint, trial_id bigint, max_side text, reference_order smallint[]
);

create type pressed_continue as (
    participant_id uuid, block text, attempt smallint, trial_index smallint, rt double precision, hidden_ms double precision
);

create type new_event as (
    participant_id uuid, tab integer, seq integer, kind text, at_ms double precision, detail jsonb
);
