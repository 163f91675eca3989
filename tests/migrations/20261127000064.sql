insert into images (sha256, bytes) values ('\xdd', '\x00');
