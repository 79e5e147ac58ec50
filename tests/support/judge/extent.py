"""How much is played: `make test` plays a choice, `make test-all` everything."""

import os

EVERYTHING = os.environ.get("SLIPWAY_FAULTS") == "all"
# Generated stacks that are read in three ways, and that are released and run by plain Compose.
READ = 300 if EVERYTHING else 60
PLAYED = 20
