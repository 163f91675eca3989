insert into recovery_codes (researcher_id, hmac) select id, '\x10' from researchers;
