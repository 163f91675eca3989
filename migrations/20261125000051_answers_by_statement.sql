-- That an answer belongs to a scheduled trial is decided by the program, on a state of the person which the very statement that
-- stores the answer checks. PostgreSQL looked for the trial a second time, and locked it, which cost as much as storing the answer.
alter table responses drop constraint responses_participant_id_block_attempt_trial_index_fkey;
