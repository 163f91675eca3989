insert into sign_in_tries (email_hmac, network_hmac, at) values ('\x0e', '\x0f', now());
