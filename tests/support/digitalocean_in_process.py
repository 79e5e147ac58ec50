"""The lab's stand-in for DigitalOcean's API in this process, over parts that do nothing real."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn

from blocks.digitalocean.client import DigitalOcean
from tests import CHECKOUT
from tests.support import PATIENCE, wait_until
from tests.support.lab import api_contract

sys.path.insert(0, str(CHECKOUT / "compose/lab/digitalocean"))
from digitalocean_standin import domains, droplets, realm, registries, reserved_ips
from digitalocean_standin.app import create_app
from digitalocean_standin.cloud import Cloud
from digitalocean_standin.errors import ApiError
from digitalocean_standin.parts.nothing import nothing
from digitalocean_standin.parts.storage import Storage

TOKEN = "dop_v1_" + "b" * 20
__all__ = ["ApiError", "Storage", "domains", "droplets", "realm", "reserved_ips"]


class HeldCloud(Cloud):
    """A cloud whose actions take no time, and do not end while they are held: see `held`."""

    def __init__(self) -> None:
        super().__init__(TOKEN)
        self.let_go = threading.Event()
        self.let_go.set()
        self.settings["action_seconds"] = 0.0

    def begin(self, type: str, resource_id: Any, resource_type: str, work: Callable[[], object], fault: Any) -> Any:
        def when_let_go() -> None:
            self.let_go.wait(PATIENCE)
            work()

        return super().begin(type, resource_id, resource_type, when_let_go, fault)


class Collected:
    """A registry of files alone. While somebody is `writing`, a collection waits; while it is held, it does not end."""

    def __init__(self, root: Path, let_go: threading.Event) -> None:
        self.storage = Storage(root)
        self.logins: list[tuple[str, int, bool]] = []
        self.read_only: list[str] = []
        self.writing = False
        self.let_go = let_go

    def login(self, registry: str, seconds: int, write: bool) -> str:
        self.logins.append((registry, seconds, write))
        return f"docr_{len(self.logins)}"

    def close(self, name: str) -> None:
        self.read_only.append(name)

    def open(self, name: str) -> None:
        self.read_only.remove(name)

    def writers_left(self, name: str) -> bool:
        return self.writing

    def collect(self, untagged: bool) -> tuple[int, int]:
        self.let_go.wait(PATIENCE)
        return 2, 1000


@contextmanager
def standin(root: Path) -> Iterator[SimpleNamespace]:
    """`client`, `cloud`, `parts`, `url`. Afterwards every exchange is checked against the official description."""
    cloud = HeldCloud()
    parts = nothing(Collected(root, cloud.let_go))
    server = uvicorn.Server(uvicorn.Config(create_app(cloud, parts), port=0, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        with DigitalOcean(TOKEN, url) as client:
            yield SimpleNamespace(client=client, cloud=cloud, parts=parts, url=url, token=TOKEN)
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
    if api_contract.SPEC.exists():
        checked = api_contract.check(cloud.exchanges)
        assert not checked.violations, checked.violations


@contextmanager
def held(lab: SimpleNamespace, seen: Callable[[], object] | None = None) -> Iterator[None]:
    """What the API begins inside does not end before this is seen, or before the context is left."""
    lab.cloud.let_go.clear()
    watching = threading.Thread(target=lambda: wait_until(seen or (lambda: True)) and lab.cloud.let_go.set())
    if seen:
        watching.start()
    try:
        yield
    finally:
        lab.cloud.let_go.set()
        if seen:
            watching.join()


def exchanged(lab: SimpleNamespace, method: str, path: str) -> list[Any]:
    """The exchanges of this kind; the end of the path is enough."""
    return [one for one in list(lab.cloud.exchanges) if (one["method"], one["path"].endswith(path)) == (method, True)]


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
