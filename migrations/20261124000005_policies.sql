-- Policies that researchers saved in the lab, besides those of the study's folder. One is never changed: another name is free.
create table policies (
    study_id bigint not null references studies,
    name text not null,
    document jsonb not null,
    sha256 text not null,
    author text not null,
    saved_at timestamptz not null,
    -- When it was frozen as pre-registered; later ones are deviations from it.
    frozen_at timestamptz,
    primary key (study_id, name)
);
