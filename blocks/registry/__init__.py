"""Container registries: the blocks and the client of their HTTP API."""
