-- What one person can make more of is bounded: events beyond the bound are counted. What a browser says about time is believed as
-- far as the server saw time pass.
alter table participants
    add column events_dropped integer not null default 0 check (events_dropped >= 0),
    -- How long it is since consent by what the server saw, as of clock_at, in ms.
    add column seen_ms double precision not null default 0,
    -- The longest that the server believed the times to be; null where it believes all, as for people who were there before.
    add column instruction_bound_ms double precision,
    add column total_bound_ms double precision;
update participants set seen_ms = greatest(0, extract(epoch from clock_at - enrolled_at) * 1000) where clock_at is not null;
