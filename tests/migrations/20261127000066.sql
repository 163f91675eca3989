update responses set device_scale = 1.25, frame_ms = 16.7, pointerdown_rt = 1400.5, continue_hidden_ms = 0;
