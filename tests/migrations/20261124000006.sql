insert into overrides (participant_id, decision, reason, author, decided_at)
select id, 'exclude', 'told us so', 'ada@example.org', now() from participants;
insert into recovery_codes (researcher_id, sha256) select id, '\x0d' from researchers;
