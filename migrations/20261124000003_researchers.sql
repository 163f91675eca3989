-- Researchers, how they sign in, and tokens for scripts.

create table researchers (
    id bigint generated always as identity primary key,
    email text not null,
    -- Argon2, as a PHC string; null until the first password is set.
    password_hash text,
    created_at timestamptz not null
);
create unique index researchers_by_email on researchers (lower(email));

create table password_links (
    sha256 bytea primary key,
    researcher_id bigint not null references researchers,
    expires_at timestamptz not null,
    used_at timestamptz
);

create table sessions (
    sha256 bytea primary key,
    researcher_id bigint not null references researchers,
    created_at timestamptz not null,
    expires_at timestamptz not null
);

-- Failed sign-ins, counted here so that the limit holds across servers. The address is kept as a keyed hash only.
create table sign_in_failures (
    id bigint generated always as identity primary key,
    email_hmac bytea not null,
    at timestamptz not null
);
create index sign_in_failures_by_email on sign_in_failures (email_hmac, at);

create table api_tokens (
    sha256 bytea primary key,
    name text not null unique,
    created_at timestamptz not null
);
