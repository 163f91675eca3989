insert into tallies select id, 1, 0, 0, 1, 1, 1, 0, 0, 0 from participants where stage = 'complete' on conflict do nothing;
