"""Which files belong to a stack: what it mounts, what ships, and what never does."""
