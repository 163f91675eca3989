-- Recovery codes are kept as hashes with the installation's key: whoever read the database could have found the codes behind plain
-- ones by trying. Those cannot be turned into the others, so codes from before are gone.
delete from recovery_codes;
alter table recovery_codes rename column sha256 to hmac;
