-- Links say everything about a platform; people not to admit; the journal; who may see identities.

alter table links add column definition jsonb;
update links set definition = jsonb_build_object(
    'name', name, 'platform', platform, 'mode', mode, 'group', crowd_group, 'conditions', to_jsonb(conditions),
    'codes', case when completion_code is null then '{}'::jsonb
                  else jsonb_build_object('complete', completion_code) end);
alter table links alter column definition set not null,
    drop column conditions,
    drop column completion_code,
    -- How many personal links were given out; each is made of the installation's key and its number.
    add column personal_links integer not null default 0 check (personal_links >= 0);

-- The form that hands in a task carries the address that its own page was given.
alter table identities drop column submit_to;

-- People not to admit to a study, by the keyed hashes of the once-only rule.
create table not_admitted (
    study_id bigint not null references studies,
    platform text not null,
    worker_hmac bytea not null,
    primary key (study_id, platform, worker_hmac)
);

-- Who did what, when. Each entry holds the hash of the one before it, so that none can be changed or taken out unnoticed.
create table journal (
    number bigint primary key check (number >= 1),
    at timestamptz not null,
    -- A researcher's address, or `command line`.
    actor text not null,
    action text not null,
    study text,
    -- A pseudonym: the journal never holds a platform's ids.
    participant text,
    -- As it was written, to the byte: the hash is over its text.
    detail json not null,
    previous_sha256 bytea not null,
    sha256 bytea not null
);
create index journal_by_study on journal (study, number);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the journal is append-only';
end $$;
create trigger journal_is_append_only before update or delete on journal
    for each row execute function refuse_change();
create trigger journal_is_never_emptied before truncate on journal
    for each statement execute function refuse_change();

-- Whether somebody may see who participants are: pay them, find them, withdraw them.
alter table researchers add column sees_identities boolean not null default false;
-- Until now everybody was trusted alike.
update researchers set sees_identities = true;
