"""What the nine services share: the frame they stand in, traces, metrics and calls to each other."""
