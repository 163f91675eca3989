update participants set events_dropped = 3, seen_ms = 400000, instruction_bound_ms = 65000, total_bound_ms = 405000;
