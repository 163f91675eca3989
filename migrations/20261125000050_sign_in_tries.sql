-- Tries to sign in are counted by researcher and by network (a keyed hash): whoever guesses somebody's password from elsewhere
-- does not keep them from signing in where they are.
alter table sign_in_failures rename to sign_in_tries;
alter index sign_in_failures_by_email rename to sign_in_tries_by_email;
alter table sign_in_tries add column network_hmac bytea not null default '';
alter table sign_in_tries alter column network_hmac drop default;
create index sign_in_tries_by_network on sign_in_tries (network_hmac, at);
