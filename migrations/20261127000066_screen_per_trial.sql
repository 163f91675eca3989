-- What is known of the screen and of the press, per answer. Answers from before, and those of clients that do not tell it, have none.
alter table responses
    add column device_scale double precision,
    add column frame_ms double precision,
    add column pointerdown_rt double precision,
    add column continue_hidden_ms double precision;
