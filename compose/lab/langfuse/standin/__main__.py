"""Run the stand-in: keys from a file that the lab made, port 3000."""

import json
import os
from pathlib import Path

import uvicorn

from .app import create_app
from .store import Store

keys = json.loads(Path(os.environ.get("CREDENTIALS", "/etc/slipway/credentials.json")).read_text())
store = Store(delay=float(os.environ.get("INGESTION_DELAY_SECONDS", "0.3")))
app = create_app(keys["langfuse_public_key"], keys["langfuse_secret_key"], store)
every = "0.0.0.0"  # noqa: S104 — in a container
uvicorn.run(app, host=every, port=3000, log_level="warning", timeout_graceful_shutdown=2)
