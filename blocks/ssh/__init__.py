"""One SSH connection: commands, streams, keys, HTTP through it."""
