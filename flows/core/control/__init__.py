"""Control: destinations, events, triggers and the control plane."""
