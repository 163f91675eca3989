insert into researchers (email, password_hash, created_at) values ('ada@example.org', 'hash', now());
insert into password_links (sha256, researcher_id, expires_at) select '\x07', id, now() from researchers;
insert into sessions (sha256, researcher_id, created_at, expires_at) select '\x08', id, now(), now() from researchers;
insert into sign_in_failures (email_hmac, at) values ('\x09', now());
insert into api_tokens (sha256, name, created_at) values ('\x0a', 'token', now());
