"""How much is played: `make test` plays a choice, `make test-all` everything."""

import os

EVERYTHING = os.environ.get("SLIPWAY_FAULTS") == "all"
