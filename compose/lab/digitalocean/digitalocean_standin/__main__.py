"""Run the stand-in over the lab's own machines: API on 8090, names on 53, balancers from 8081 on; by TLS, registry on
5001 and its token service on 8443."""

import json
import os
import threading
import time
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from . import realm
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
PORT, TOKEN_PORT = 8090, 8443
REGISTRY_HOST = os.environ["REGISTRY_HOST"]  # by which the registry's certificate knows it

STATE.mkdir(parents=True, exist_ok=True)
token = json.loads((SECRETS / "credentials.json").read_text())["digitalocean_token"]
cloud = Cloud(token)
trusted = {str(file.relative_to("/")): file.read_text() for file in Path("/etc/docker/certs.d").glob("*/ca.crt")}
engine = Engine(LAB, (SECRETS / "authorized_keys").read_text().strip(), trusted)
registry = Registry(STATE, realm=f"https://{REGISTRY_HOST}:{TOKEN_PORT}/_registry/token", tls=SECRETS / "tls")
addresses = Addresses(LAB)
parts = Parts(engine, HAProxies(STATE, addresses, f"{LAB}-digitalocean"), Nsd(STATE), addresses, registry)
engine.sweep()
registry.start()
furnish(cloud, parts, LAB)
tokens = uvicorn.Config(
    Starlette(routes=realm.routes(cloud, parts)), host="0.0.0.0", port=TOKEN_PORT, log_level="warning",  # noqa: S104 — inside its own container
    ssl_certfile=SECRETS / "tls/registry.crt", ssl_keyfile=SECRETS / "tls/registry.key",
)  # fmt: skip
threading.Thread(target=uvicorn.Server(tokens).run, daemon=True).start()
print(f"ready at {time.strftime('%X')}", flush=True)
every = "0.0.0.0"  # noqa: S104 — in a container
uvicorn.run(create_app(cloud, parts), host=every, port=PORT, log_level="warning", timeout_graceful_shutdown=2)
