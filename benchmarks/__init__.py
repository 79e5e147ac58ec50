"""How fast Slipway is, as ratios beside a plain script or a peer that does the same work in the same run."""

import os

# Prefect reads these when it is imported, so they are set before anything here imports it.
os.environ.setdefault("PREFECT_API_URL", "http://127.0.0.1:4200/api")
os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")  # the terminal is the benchmark's
os.environ.setdefault("DO_NOT_TRACK", "1")
