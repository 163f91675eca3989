-- Arrivals are counted by link, kind and day: a stranger can make as many as they like, and they are to make no more rows. What
-- was counted stays.
create temporary table counted as
select link_id, kind, (at at time zone 'UTC')::date as day, count(*) as n from arrivals group by 1, 2, 3;
drop table arrivals;
create table arrivals (
    link_id bigint not null references links,
    kind text not null check (kind in
        ('arrived', 'preview', 'declined', 'unsuitable', 'already_took_part', 'barred', 'full', 'paused', 'closed', 'incomplete',
         'unknown_person', 'not_signed', 'crowded')),
    -- In UTC.
    day date not null,
    n bigint not null check (n >= 1),
    primary key (link_id, kind, day)
);
insert into arrivals (link_id, kind, day, n) select link_id, kind, day, n from counted;
drop table counted;

-- Every assignment with which a person was seen, in order. The one in `identities` is that with which they finished, or
-- began while they have not. Personal data, like that table: it is emptied together with it.
create table assignments (
    participant_id uuid not null references participants,
    number smallint not null check (number >= 1),
    assignment_id text not null,
    hit_id text,
    seen_at timestamptz not null,
    primary key (participant_id, number),
    unique (participant_id, assignment_id)
);
insert into assignments (participant_id, number, assignment_id, hit_id, seen_at)
select p.id, 1, i.assignment_id, i.hit_id, p.enrolled_at
from identities i join participants p on p.id = i.participant_id where i.assignment_id is not null;

-- The assignment with which the person came who got this token; null for those from before, and where there is none.
alter table participant_tokens add column assignment smallint;
