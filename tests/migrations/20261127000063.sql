insert into slots (study_id, mode, condition, number, image_set) select id, 'simulated', 'natural', 1, 0 from studies;
