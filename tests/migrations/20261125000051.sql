update responses set continue_rt = 812.5;
