"""One service on the droplet `data`, and what its snapshots, copies and rehearsals leave at DigitalOcean."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.lab.digitalocean_account import Cloud, calm_cloud
from tests.support.lab.droplet_view import SHARED
from tests.support.lab.git_checkout import checkout
from tests.support.lab.lab import port
from tests.support.lab.lab_stack import LabStack, lab_stack
from tests.support.lab.saved_blocks import forget, saved

STACK, DROPLET, REHEARSAL, COPY = "cloud-app", "data", "cloud-app-rehearsal", "cloud-app-copy"
DOMAIN, RECORD = "agents.lab", "cloud-app"
SOURCE = Path(__file__).parent / "rehearsal"
SETTINGS = {
    "SLIPWAY_PROMETHEUS": "", "SLIPWAY_REHEARSAL_SWITCH": f"{STACK}-name", "SLIPWAY_REHEARSAL_DROPLET": REHEARSAL,
    "SLIPWAY_REHEARSAL_REQUESTS": "20", "SLIPWAY_GREEN": "[]", "SLIPWAY_BLUE": "[]", "SLIPWAY_GATE_WINDOW": "0",
}  # fmt: skip


@dataclass(frozen=True)
class RehearsalStack(LabStack):
    """The stack as it is released, and the account it is in."""

    cloud: Cloud
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
            return sorted(droplets + [s.name for s in client.snapshots.all() if s.name.startswith(f"slipway-{STACK}")])

    def sweep(self) -> None:
        """Remove all of that, whatever a test left."""
        from blocks import Droplet  # noqa: PLC0415 — after the environment is set

        with self.cloud.client() as client:
            for droplet in client.droplets.all(tag="slipway-provisioned"):
                client.droplets.remove(droplet, "slipway-provisioned")
            for snapshot in client.snapshots.all():
                if snapshot.name.startswith(f"slipway-{STACK}"):
                    client.snapshots.remove(snapshot.id, snapshot.name)
            for record in client.domains.records(DOMAIN, f"{RECORD}.{DOMAIN}", "A"):
                client.domains.change(DOMAIN, record, data=self.address(), ttl=30)
        for name in (REHEARSAL, COPY):
            forget(Droplet, name)

    def tidy(self) -> None:
        self.sweep()
        super().tidy()


@contextmanager
def open_rehearsal_stack(place: Path) -> Iterator[RehearsalStack]:
    """A stack whose release `v1` is good on its droplet, and a name in the DNS that a rehearsal moves."""
    from blocks import DigitalOceanAccount, DnsSwitch  # noqa: PLC0415 — after the environment is set

    with calm_cloud() as cloud, ExitStack() as closing:
        with cloud.client() as client:
            for left in client.domains.records(DOMAIN, f"{RECORD}.{DOMAIN}", "A"):  # by a killed run
                cloud.ask("DELETE", f"/v2/domains/{DOMAIN}/records/{left.id}")
            record = {"type": "A", "name": RECORD, "data": client.droplets.named(DROPLET).public_ip, "ttl": 30}
        made = cloud.ask("POST", f"/v2/domains/{DOMAIN}/records", record)["domain_record"]
        closing.callback(cloud.ask, "DELETE", f"/v2/domains/{DOMAIN}/records/{made['id']}")
        own = lab_stack(RehearsalStack, STACK, DROPLET, place, directory=SHARED, cloud=cloud, **SETTINGS)
        stack = closing.enter_context(own)
        switch = DnsSwitch(
            url=f"http://{RECORD}.{DOMAIN}:8009", domain=DOMAIN, record=f"{RECORD}.{DOMAIN}", ttl=30,
            name_servers=[f"127.0.0.1:{port('DNS', 5353)}"], droplets={"green": [DROPLET], "blue": [REHEARSAL]},
            account=DigitalOceanAccount.load("digitalocean"),
        )  # fmt: skip
        closing.enter_context(saved(**{f"{STACK}-name": switch}))
        source = checkout(SOURCE, place / "source")
        stack.slipway_ok("build-push", "--stack", str(source), "--tag", "v1")
        stack.slipway_ok("deploy", *stack.here, "--tag", "v1", "--wait", "120")  # the directory is shared
        stack.slipway_ok("validate", *stack.here)
        yield stack
