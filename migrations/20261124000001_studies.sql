-- Studies, their versions, their trials and images, and the slots to fill.

-- One row: which secret key the once-only rule and the image addresses were made with.
create table installation (
    singleton boolean primary key default true check (singleton),
    key_fingerprint bytea not null
);

create table studies (
    id bigint generated always as identity primary key,
    slug text not null unique,
    family text not null,
    state text not null check (state in ('draft', 'live', 'paused', 'closed')),
    -- The enrolment policy, pinned when the study went live for the first time.
    pinned_policy jsonb,
    went_live_at timestamptz,
    created_at timestamptz not null
);

create table study_versions (
    id bigint generated always as identity primary key,
    study_id bigint not null references studies,
    number integer not null,
    -- Over everything that the folder holds; importing the same again changes nothing.
    sha256 bytea not null,
    -- Over what may not change once there are live data.
    structure_sha256 bytea not null,
    definition jsonb not null,
    imported_at timestamptz not null,
    unique (study_id, number)
);

create table images (
    sha256 bytea primary key,
    -- What the browser asks for: an HMAC, so that nothing can be looked up by content.
    address text not null unique,
    media_type text not null,
    bytes bytea not null
);
-- Images are compressed already.
alter table images alter column bytes set storage external;

create table trials (
    id bigint generated always as identity primary key,
    version_id bigint not null references study_versions,
    position integer not null,
    condition text not null,
    kind text not null check (kind in ('main', 'catch', 'practice', 'instruction')),
    difficulty text check (difficulty in ('obvious', 'easy')),
    image_set integer,
    unit text not null,
    layer text not null,
    branch text not null,
    base bytea not null references images,
    max_query bytea not null references images,
    min_query bytea not null references images,
    -- References by group: [[sha256 in hexadecimal, ...], ...]. Each stands in images, which the import checks.
    reference_groups jsonb not null,
    base_activation double precision,
    max_activation double precision,
    min_activation double precision,
    center_correct boolean,
    variance_correct boolean,
    saliency_correct boolean,
    object_correct boolean,
    unique (version_id, position)
);

create table links (
    id bigint generated always as identity primary key,
    study_id bigint not null references studies,
    code text not null unique,
    name text not null,
    mode text not null check (mode in ('live', 'pilot', 'simulated')),
    platform text not null check (platform in ('direct', 'mturk', 'prolific', 'connect', 'sona', 'generic')),
    crowd_group text not null check (crowd_group in ('crowd', 'expert')),
    -- Conditions that it may lead to; all if empty.
    conditions text[] not null,
    enabled boolean not null default true,
    completion_code text,
    created_at timestamptz not null,
    unique (study_id, name)
);

create table slots (
    id bigint generated always as identity primary key,
    study_id bigint not null references studies,
    mode text not null check (mode in ('live', 'pilot', 'simulated')),
    condition text not null,
    number integer not null check (number >= 1),
    image_set integer not null check (image_set >= 0),
    -- Postings that a researcher added to the study's bound.
    extra_postings integer not null default 0 check (extra_postings >= 0),
    -- False for a slot that a later version of a study without live data no longer has.
    in_design boolean not null default true,
    unique (study_id, mode, condition, number)
);

-- Whoever gives out or fills slots of a study locks its row here first.
create table enrolment_counters (
    study_id bigint not null references studies,
    mode text not null check (mode in ('live', 'pilot', 'simulated')),
    enrolled bigint not null default 0,
    primary key (study_id, mode)
);

-- Anonymous: who came to a link and how far, before consent.
create table arrivals (
    id bigint generated always as identity primary key,
    link_id bigint not null references links,
    kind text not null check (kind in
        ('arrived', 'preview', 'declined', 'unsuitable', 'already_took_part', 'full', 'paused', 'closed')),
    at timestamptz not null
);
create index arrivals_by_link on arrivals (link_id, kind);
