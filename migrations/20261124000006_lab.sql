-- Decisions against the rule, what the lab's people may do, the second factor, and the life of a study.

-- A researcher's decision about one participation; who decided what before stands in the journal.
create table overrides (
    participant_id uuid primary key references participants,
    decision text not null check (decision in ('include', 'exclude')),
    reason text not null,
    author text not null,
    decided_at timestamptz not null
);

alter table studies drop constraint studies_state_check,
    add constraint studies_state_check check (state in ('draft', 'pilot', 'live', 'paused', 'closed')),
    -- Results show conditions by letters until the study is full or somebody lifted that.
    add column unblinded_at timestamptz,
    -- Places per condition, where a researcher changed the design's number.
    add column slots_per_condition integer check (slots_per_condition >= 1);

alter table researchers
    add column role text not null default 'researcher' check (role in ('viewer', 'researcher', 'administrator')),
    -- The second factor's secret is made of the installation's key and this: the database alone does not know it.
    add column totp_nonce bytea,
    add column totp_confirmed_at timestamptz,
    -- The newest time step whose code was used: no code is good twice.
    add column totp_used_step bigint;
-- Until now everybody might do everything.
update researchers set role = 'administrator';

create table recovery_codes (
    researcher_id bigint not null references researchers,
    sha256 bytea not null,
    primary key (researcher_id, sha256)
);

-- A session whose second factor is still to come is good for nothing else.
alter table sessions add column awaits_code boolean not null default false;

-- What a token may be used for.
alter table api_tokens add column scopes text[] not null default '{simulate}';
alter table api_tokens alter column scopes drop default;
