"""Run the stand-in over the lab's own machines: API on 8090, names on 53, registry on 5001, balancers from 8081 on."""

import json
import os
import time
from pathlib import Path

import uvicorn

from .account_setup import furnish
from .app import create_app
from .cloud import Cloud
from .parts import Parts
from .parts.addresses import Addresses
from .parts.engine import Engine
from .parts.haproxy import HAProxies
from .parts.nsd import Nsd
from .parts.registry import Registry

LAB = os.environ.get("SLIPWAY_LAB", "slipway-lab")
STATE = Path("/var/lib/slipway-digitalocean")
SECRETS = Path("/etc/slipway")
PORT = 8090

STATE.mkdir(parents=True, exist_ok=True)
token = json.loads((SECRETS / "credentials.json").read_text())["digitalocean_token"]
cloud = Cloud(token)
engine = Engine(LAB, (SECRETS / "authorized_keys").read_text().strip())
registry = Registry(STATE, realm=f"http://127.0.0.1:{os.environ.get('API_PORT', PORT)}/_registry/token")
addresses = Addresses(LAB)
parts = Parts(engine, HAProxies(STATE, addresses, f"{LAB}-digitalocean"), Nsd(STATE), addresses, registry)
engine.sweep()
registry.start()
furnish(cloud, parts, LAB)
print(f"ready at {time.strftime('%X')}", flush=True)
every = "0.0.0.0"  # noqa: S104 — in a container
uvicorn.run(create_app(cloud, parts), host=every, port=PORT, log_level="warning", timeout_graceful_shutdown=2)
