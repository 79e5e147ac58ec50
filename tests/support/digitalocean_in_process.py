"""The lab's stand-in for DigitalOcean's API in this process, over parts that do nothing real."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import uvicorn

from blocks.digitalocean.client import DigitalOcean
from tests import CHECKOUT
from tests.support.lab import api_contract

sys.path.insert(0, str(CHECKOUT / "compose/lab/digitalocean"))
from digitalocean_standin import domains, droplets, registries, reserved_ips
from digitalocean_standin.app import create_app
from digitalocean_standin.cloud import Cloud
from digitalocean_standin.parts.nothing import nothing
from digitalocean_standin.parts.storage import Storage

TOKEN = "dop_v1_" + "b" * 20
__all__ = ["domains", "droplets", "reserved_ips"]


class Collected:
    """A registry of files alone."""

    def __init__(self, root: Path) -> None:
        self.storage = Storage(root)
        self.logins: list[tuple[str, int, bool]] = []
        self.read_only: list[str] = []

    def login(self, registry: str, seconds: int, write: bool) -> str:
        self.logins.append((registry, seconds, write))
        return f"docr_{len(self.logins)}"

    def close(self, name: str) -> None:
        self.read_only.append(name)

    def open(self, name: str) -> None:
        self.read_only.remove(name)

    def writers_left(self, name: str) -> bool:
        return False

    def collect(self, untagged: bool) -> tuple[int, int]:
        return 2, 1000


@contextmanager
def standin(root: Path, patience: float = 5.0) -> Iterator[SimpleNamespace]:
    """`client`, `cloud`, `parts`, `url`. Afterwards every exchange is checked against the official description."""
    cloud, registry = Cloud(TOKEN), Collected(root)
    cloud.settings["action_seconds"] = 0.1
    parts = nothing(registry)
    server = uvicorn.Server(uvicorn.Config(create_app(cloud, parts), port=0, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        with DigitalOcean(TOKEN, url, patience) as client:
            yield SimpleNamespace(client=client, cloud=cloud, parts=parts, url=url, token=TOKEN)
    finally:
        server.should_exit = True
        thread.join(10)
    if api_contract.SPEC.exists():
        checked = api_contract.check(cloud.exchanges)
        assert not checked.violations, checked.violations


def add_droplet(
    cloud: Cloud, name: str, region: str = "nyc3", ip: str = "192.0.2.1", tags: tuple[str, ...] = ()
) -> int:
    """One that is there already; its id."""
    droplet = droplets.made(cloud, name, "s-1vcpu-1gb", region, droplets.image("debian-13-x64"), list(tags))
    droplet["_container"] = f"lab-{name}"
    droplets.settle(droplet, ip)
    return int(droplet["id"])


def add_record(cloud: Cloud, domain: str, name: str, data: str, ttl: int = 60) -> int:
    """An A record that is there already; its id."""
    empty = dict.fromkeys(("priority", "port", "weight", "flags", "tag"))
    record = {"id": cloud.new_id(), "type": "A", "name": name, "data": data, "ttl": ttl, **empty}
    cloud.domains.setdefault(domain, []).append(record)
    return int(record["id"])


def add_registry(cloud: Cloud, name: str) -> None:
    registries.add(cloud, name)


needs_description = pytest.mark.skipif(not api_contract.SPEC.exists(), reason=api_contract.ABSENT)
