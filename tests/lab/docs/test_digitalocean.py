"""Every command of the pages on DigitalOcean is run, in their order, against the lab's stand-in.

A stack and a Prefect server of their own; what stands on the pages once (addresses, names) is replaced by what is here.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import CHECKOUT
from tests.faults.harness.second_prefect import started
from tests.stacks.rehearsal import SOURCE
from tests.stacks.rehearsal import STACK as RELEASED
from tests.support.lab.digitalocean_account import URL, Cloud, calm_cloud
from tests.support.lab.doc_commands import Fence, Reader, fences
from tests.support.lab.droplet_view import DropletView
from tests.support.lab.git_checkout import checkout
from tests.support.lab.lab import CA, DOCR, STATE, Lab, port
from tests.support.lab.registry_namespace import remove_build_images

pytestmark = pytest.mark.lab
# Not the pages' own name: that one is taken by the other pages, which may be read at the same time.
STACK, DIRECTORY, DOMAIN, NAME = "my-cloud-stack", "/opt/slipway-docs-do", "docs.lab", "slipway-lab"
COLOURS = ("green", "blue")
RULE = {"entry_protocol": "http", "entry_port": 80, "target_protocol": "http", "target_port": 8009}
CHECK = {"protocol": "http", "port": 8009, "path": "/health", "check_interval_seconds": 3, "healthy_threshold": 2,
         "response_timeout_seconds": 3, "unhealthy_threshold": 2}  # fmt: skip


@pytest.fixture(scope="module")
def reader(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """One who has two droplets, a balancer, an address and a domain at DigitalOcean, and a stack on the laptop."""
    from blocks import Droplet  # noqa: PLC0415 — after the environment is set

    home = tmp_path_factory.mktemp("reader")
    (home / "prefect").mkdir()
    write_stack(home)
    with ExitStack() as closing:
        prefect = closing.enter_context(started(home / "prefect"))
        cloud = closing.enter_context(calm_cloud())
        tidy(cloud)  # what a killed run left
        closing.callback(tidy, cloud)
        here = furnished(cloud)
        (home / "digitalocean-token").write_text(cloud.token)
        # The lab's own bin last: its slipway knows the lab's settings.
        path = f"{CHECKOUT}/.venv/bin:{STATE}/bin:{os.environ['PATH']}"
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("SLIPWAY_")}, **prefect.environment,
            "HOME": str(home), "PYTHONPATH": str(CHECKOUT), "USER": "reader", "PATH": path,
            "SLIPWAY_REPORTS": str(home / "reports"), "SLIPWAY_DROPLETS": '["green", "blue"]',
            "SLIPWAY_GATE_WINDOW": "0", "SLIPWAY_WATCH": "1", "SLIPWAY_WATCH_INTERVAL": "0.5",
            "SLIPWAY_READINESS_DELAY": "1", "SLIPWAY_REHEARSAL_REQUESTS": "20",
        }  # fmt: skip
        reader = Reader(home, None, prefect, here, environment)  # type: ignore[arg-type]
        closing.callback(reader.leave)
        prefect.ready()
        own = {name: Droplet.load(name).model_copy(update={"directory": DIRECTORY}) for name in COLOURS}
        reader.type(Fence("README.md", 1, "sh", "prefect block register -m blocks"))
        prefect.save(own)
        yield reader


def write_stack(home: Path) -> None:
    """The stack, as it lies on the laptop."""
    stack = checkout(SOURCE, home / STACK)
    text = (stack / "compose.yaml").read_text().replace(RELEASED, STACK)
    (stack / "compose.yaml").write_text(text)


def furnished(cloud: Cloud) -> dict[str, str]:
    """A balancer, an address and a domain, all leading to green; what the pages call them → what they are here."""
    with cloud.client() as client:
        green = client.droplets.named("green")
    body = {"name": "docs-agents", "region": "nyc3", "forwarding_rules": [RULE], "health_check": CHECK}
    balancer = cloud.ask("POST", "/v2/load_balancers", {**body, "droplet_ids": [green.id]})["load_balancer"]
    address = cloud.ask("POST", "/v2/reserved_ips", {"droplet_id": green.id})["reserved_ip"]["ip"]
    cloud.ask("POST", "/v2/domains", {"name": DOMAIN})
    record = {"type": "A", "name": "app", "data": green.public_ip, "ttl": 30}
    cloud.ask("POST", f"/v2/domains/{DOMAIN}/records", record)
    with cloud.client() as client:
        ip = client.load_balancers.get(balancer["id"]).ip
    return {
        "my-stack": STACK, "account set": f"account set --api {URL}",
        "my-registry": f"{NAME} --host {DOCR} --ca {CA}",
        "https://agents.example.com": f"http://{ip}", "--balancer agents": "--balancer docs-agents",
        "203.0.113.99": address, ":8000": ":8009",
        "example.com": DOMAIN, "--ttl 30": f"--ttl 30 --name-servers 127.0.0.1:{port('DNS', 5353)}",
    }  # fmt: skip


def tidy(cloud: Cloud) -> None:
    """Take everything of it away."""
    for name in COLOURS:
        on = DropletView(name, STACK, DIRECTORY)
        on.remove(f"{NAME}.{STACK}")
        on.sh(f"rm -rf {DIRECTORY}")
    remove_build_images(f"{NAME}/{STACK}")
    state = cloud.state()
    with cloud.client() as client:
        for droplet in client.droplets.all(tag="slipway-provisioned"):
            client.droplets.remove(droplet, "slipway-provisioned")
        for snapshot in client.snapshots.all():
            if snapshot.name.startswith(f"slipway-{STACK}-"):
                client.snapshots.remove(snapshot.id, snapshot.name)
        for repository in client.registries.repositories(NAME):
            if repository.name.startswith(STACK):
                for manifest in client.registries.manifests(NAME, repository.name):
                    client.registries.remove_manifest(NAME, repository.name, manifest.digest)
        for balancer in client.load_balancers.all():
            if balancer.name == "docs-agents":
                cloud.ask("DELETE", f"/v2/load_balancers/{balancer.id}")
    if DOMAIN in state["domains"]:
        cloud.ask("DELETE", f"/v2/domains/{DOMAIN}")
    for reserved in state["reserved"][1:]:  # the first one is the lab's
        cloud.ask("DELETE", f"/v2/reserved_ips/{reserved['ip']}")


def test_every_command_of_the_pages_does_what_they_say(reader: Reader):
    reader.follow("DOCR.md")
    assert set(DropletView("green", STACK, DIRECTORY).containers()) == {"web"}
    reader.type(Fence("README.md", 1, "sh", f"slipway deploy --stack {STACK} --droplet blue --tag v1.0.0"))
    reader.follow("DIGITALOCEAN.md")
    cloud = Cloud()
    with cloud.client() as client:
        assert client.droplets.all(tag="slipway-provisioned") == []
        green = client.droplets.named("green")
        assert client.load_balancers.named("docs-agents").droplets == (green.id,)
        assert client.domains.record(DOMAIN, f"app.{DOMAIN}").data == green.public_ip
    assert f"Rehearsed {STACK} v1.0.0" in (reader.home / "reports/rehearsal.md").read_text()


def test_all_of_the_pages_code_is_run_or_plain_text():
    languages = {fence.language for page in ("DOCR.md", "DIGITALOCEAN.md") for fence in fences(page)}
    assert languages == {"sh"}
