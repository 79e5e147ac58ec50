"""The tent: a stack of one service on the droplet `data`, and what its snapshots, copies and rehearsals leave."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.support.lab.cli import slipway_ok
from tests.support.lab.digitalocean_account import Cloud, calm_cloud
from tests.support.lab.droplet_view import DropletView
from tests.support.lab.git_checkout import checkout
from tests.support.lab.lab import port
from tests.support.lab.lab_stack import settings
from tests.support.lab.registry_namespace import RegistryNamespace, remove_build_images
from tests.support.lab.saved_blocks import forget, saved

STACK, DROPLET, REHEARSAL, COPY = "tent", "data", "tent-rehearsal", "tent-copy"
DOMAIN, RECORD = "agents.lab", "tent"
SOURCE = Path(__file__).parent / "rehearsal"


@dataclass(frozen=True)
class RehearsalStack:
    """The stack as it is released, and the account it is in."""

    cloud: Cloud
    settings: dict[str, str]
    on: DropletView
    here: tuple[str, ...] = ("--stack", STACK)

    def address(self, name: str = DROPLET) -> str:
        """Where a droplet is."""
        with self.cloud.client() as client:
            return str(client.droplets.named(name).public_ip)

    def points_at(self) -> str:
        """What the rehearsal's name has as its address."""
        with self.cloud.client() as client:
            return str(client.domains.record(DOMAIN, f"{RECORD}.{DOMAIN}").data)

    def left(self) -> list[str]:
        """Droplets and snapshots of ours at DigitalOcean."""
        with self.cloud.client() as client:
            droplets = [d.name for d in client.droplets.all(tag="slipway-provisioned")]
            return sorted(droplets + [s.name for s in client.snapshots.all() if s.name.startswith("slipway-tent")])

    def sweep(self) -> None:
        """Remove all of that, whatever a test left."""
        from blocks import Droplet  # noqa: PLC0415 — after the environment is set

        with self.cloud.client() as client:
            for droplet in client.droplets.all(tag="slipway-provisioned"):
                client.droplets.remove(droplet.id)
            for snapshot in client.snapshots.all():
                if snapshot.name.startswith("slipway-tent"):
                    client.snapshots.remove(snapshot.id)
            for record in client.domains.records(DOMAIN, f"{RECORD}.{DOMAIN}", "A"):
                client.domains.change(DOMAIN, record, data=self.address(), ttl=30)
        for name in (REHEARSAL, COPY):
            forget(Droplet, name)


@contextmanager
def open_rehearsal_stack(tmp: Path) -> Iterator[RehearsalStack]:
    """A tent whose release `v1` is good on its droplet; nothing of it is left."""
    from blocks import ContainerRegistry, DigitalOceanAccount, DnsSwitch  # noqa: PLC0415 — after the environment is set

    registry = RegistryNamespace(ContainerRegistry.load("registry"), "test-tent")
    on = DropletView(DROPLET, STACK)
    own = settings(
        tmp / "reports", SLIPWAY_REGISTRY="tent-registry", SLIPWAY_DROPLET=DROPLET, SLIPWAY_PROMETHEUS="",
        SLIPWAY_REHEARSAL_SWITCH="tent-name", SLIPWAY_REHEARSAL_DROPLET=REHEARSAL, SLIPWAY_REHEARSAL_REQUESTS="20",
        SLIPWAY_GREEN="[]", SLIPWAY_BLUE="[]", SLIPWAY_GATE_WINDOW="0",
    )  # fmt: skip
    with calm_cloud() as cloud, ExitStack() as closing:
        tent = RehearsalStack(cloud, dict(own), on)
        record = {"type": "A", "name": RECORD, "data": tent.address(), "ttl": 30}
        made = cloud.ask("POST", f"/v2/domains/{DOMAIN}/records", record)["domain_record"]
        closing.callback(cloud.ask, "DELETE", f"/v2/domains/{DOMAIN}/records/{made['id']}")
        switch = DnsSwitch(
            url=f"http://{RECORD}.{DOMAIN}:8009", domain=DOMAIN, record=f"{RECORD}.{DOMAIN}", ttl=30,
            name_servers=[f"127.0.0.1:{port('DNS', 5353)}"], droplets={"green": [DROPLET], "blue": [REHEARSAL]},
            account=DigitalOceanAccount.load("digitalocean"),
        )  # fmt: skip
        closing.enter_context(saved(tent_registry=registry.named(), tent_name=switch))
        for tidy in (
            partial(remove_build_images, "/test-tent"),
            registry.empty,
            partial(on.remove, "test-tent"),
            tent.sweep,
        ):
            tidy()  # what a killed run left
            closing.callback(tidy)
        source = checkout(SOURCE, tmp / "tent")
        slipway_ok("build-push", "--stack", str(source), "--tag", "v1", **own)
        slipway_ok("deploy", "--stack", STACK, "--tag", "v1", **own)
        slipway_ok("validate", "--stack", STACK, **own)
        yield tent
