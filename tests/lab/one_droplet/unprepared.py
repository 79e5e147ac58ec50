"""A stack that nobody prepared for two colours: fixed names, ports of the host, a database, a one-shot, a link."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from tests.faults.harness.doubles.disposable_droplet import DisposableDroplet
from tests.support import wait_until
from tests.support.lab.cli import CliResult
from tests.support.lab.droplet_view import DropletView
from tests.support.lab.git_checkout import checkout, commit
from tests.support.lab.lab import LAB, docker
from tests.support.lab.lab_stack import LabStack, lab_stack
from tests.support.lab.saved_blocks import saved

NAME, HOST, DROPLET = "bazaar", "bazaar.example.test", "one"
PROD, URL = f"{NAME}-prod", f"https://{HOST}"
SOURCE = Path(__file__).parent / "bazaar"
# How the web service of a release behaves.
WELL, CRASHES, LIES, SOURS = "well", "crashes", "lies", "sours"
VOLUME = "bazaar_rows_of_old"


@dataclass(frozen=True)
class Bazaar(LabStack):
    """The stack on one droplet that it has for itself."""

    machine: DisposableDroplet | None = None

    @property
    def host(self) -> DisposableDroplet:
        assert self.machine
        return self.machine

    def write(self, tag: str, behaviour: str = WELL) -> list[str]:
        """A version of this behaviour; returns the options that build it under this tag."""
        place = self.place / self.name
        if not place.exists():
            checkout(SOURCE, place)
            named = (place / "compose.yaml").read_text().replace(f"\nname: {NAME}\n", f"\nname: {self.name}\n")
            (place / "compose.yaml").write_text(named)
        (place / "version").write_text(tag)
        (place / "behaviour").write_text(behaviour)
        commit(place)
        return ["--stack", str(place), "--tag", tag]

    def promote(self, tag: str, behaviour: str = WELL, **more: str) -> CliResult:
        """Build a version, and promote it."""
        return self.slipway("release", *self.write(tag, behaviour), "--promote", "--approval", "never", **more)

    def on(self, part: str) -> DropletView:
        """A part of the stack, seen from inside."""
        return DropletView(self.host.name, f"{self.name}-{part}", f"/opt/{self.name}")

    def sh(self, script: str) -> str:
        return self.host.inside(script)

    def says(self, verb: str, *words: str, part: str = "") -> CliResult:
        """`slipway VERB` for the stack, or for a part of it; it must succeed."""
        place = ("--droplet", f"{self.block}/{part}") if part else ()
        return self.slipway_ok(verb, "--stack", self.name, *place, *words)

    def setup_edge(self) -> CliResult:
        words = ("setup", self.block, "--image", edge_image(self), "--tls", "internal", "--yes")
        return self.slipway_ok(
            "edge", *words, "--stack", self.name, "--url", f"https://{HOST}", "--probe-path", "/hello"
        )

    # What clients see.

    def address(self) -> str:
        return docker(
            "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", self.host.container
        ).strip()

    def client(self, timeout: float = 15.0) -> httpx.Client:
        """A client that reaches the edge under the stack's name, and trusts the edge's own authority."""
        root = self.sh(f"cat /opt/{self.name}/.edge/data/caddy/pki/authorities/local/root.crt")
        return httpx.Client(
            base_url=f"https://{self.address()}", headers={"Host": HOST}, timeout=timeout, trust_env=False,
            verify=ssl.create_default_context(cadata=root),
        )  # fmt: skip

    def ask(self, path: str, verb: str = "GET", **more: Any) -> httpx.Response:
        with self.client() as client:
            return client.request(verb, path, extensions={"sni_hostname": HOST}, **more)

    def seen(self) -> tuple[str, str]:
        """The colour and the version that answer."""
        answer = self.ask("/hello").raise_for_status()
        return answer.headers["x-slipway-colour"], str(answer.json()["version"])

    def await_seen(self, colour: str, version: str) -> None:
        """Wait until clients see this; the edge and both colours may be on their way up."""

        def look() -> bool:
            try:
                return self.seen() == (colour, version)
            except (httpx.HTTPError, OSError, AssertionError):
                return False

        wait_until(look, why=lambda: self.sh("docker ps --all"), pause=0.2)

    # What is there.

    def active(self) -> list[str]:
        """The state files of the switch."""
        return self.sh(f"cd /opt/{self.name}/.edge/state/{self.name} && ls | grep -xE 'green|blue' || true").split()

    def running(self) -> dict[str, list[str]]:
        """Project → its running containers, by name."""
        listed = self.sh("docker ps --format '{{.Label \"com.docker.compose.project\"}} {{.Names}}'").split("\n")
        found: dict[str, list[str]] = {}
        for project, name in sorted(line.split() for line in listed if line.strip()):
            found.setdefault(project, []).append(name)
        return found

    def volumes(self) -> str:
        """The data's volume, when it was made, and its inode."""
        return self.sh(
            f"docker volume inspect --format '{{{{.CreatedAt}}}}' {VOLUME}; "
            f"stat -c %i $(docker volume inspect --format '{{{{.Mountpoint}}}}' {VOLUME})"
        )

    def status(self) -> dict[str, Any]:
        return dict(json.loads(self.says("status", "--json").out)["droplets"])

    def tidy(self) -> None:
        """The droplet goes away with all that is on it."""
        from blocks import StackEnvironment  # noqa: PLC0415 — after the environment is set
        from tests.support.lab.registry_namespace import remove_build_images  # noqa: PLC0415
        from tests.support.lab.saved_blocks import forget  # noqa: PLC0415

        remove_build_images(f"/{self.registry.namespace}")
        self.registry.empty()
        forget(StackEnvironment, self.name)


def edge_image(stack: Bazaar) -> str:
    """The lab's Caddy, as an image that droplets can pull."""
    place = stack.place / "edge"
    place.mkdir(exist_ok=True)
    return stack.registry.push("caddy", f"FROM {LAB}-edge\nENTRYPOINT []\n", place)


def start_plain(stack: Bazaar) -> None:
    """Have it run as people start it, by `docker compose up -d` in a directory, with a row in its store. Its images are
    those of release v1, which a deploy has brought."""
    before = {"SLIPWAY_ONE_DROPLET": "", "SLIPWAY_SWITCH": "", "SLIPWAY_DROPLET": PROD}
    stack.slipway_ok("build-push", *stack.write("v1"))
    stack.slipway_ok("deploy", "--stack", NAME, "--tag", "v1", "--droplet", PROD, **before)
    at, place = f"/opt/{NAME}/{NAME}", f"/srv/{NAME}"
    compose = f"docker compose --project-name {NAME} --file compose.yaml --file override.yml --env-file environment"
    stack.sh(
        f"set -e; mkdir -p {place}; cd {at}/current; cp files/compose.yaml override.yml environment {place}; "
        f"cd {place}; {compose} down; {compose} up --detach --wait --pull never; rm -rf {at}"
    )
    stack.sh("docker exec bazaar-db sh -c 'echo sold: one lamp >>/data/rows'")


@contextmanager
def open_bazaar(place: Path, machine: DisposableDroplet, name: str = NAME) -> Iterator[Bazaar]:
    """The stack with its blocks, on a droplet that is running."""
    from blocks import Droplet  # noqa: PLC0415 — after the environment is set

    prod = f"{name}-prod"
    own = {
        "SLIPWAY_ONE_DROPLET": prod, "SLIPWAY_SWITCH": f"{name}-edge", "SLIPWAY_PROMETHEUS": "",
        "SLIPWAY_GATE_WINDOW": "0", "SLIPWAY_WATCH": "1", "SLIPWAY_WATCH_INTERVAL": "0.5",
        "SLIPWAY_HEALTH_PATIENCE": "2", "SLIPWAY_READINESS_DELAY": "0.3", "SLIPWAY_DRAIN": "4",
    }  # fmt: skip
    block = machine.block(Droplet.load("green")).model_copy(update={"directory": f"/opt/{name}"})
    with lab_stack(Bazaar, name, "green", place, **own) as made, saved(**{prod: block}):
        settings = {k: v for k, v in made.settings.items() if k != "SLIPWAY_DROPLET"}
        yield replace(made, settings=settings, machine=machine, block=prod, droplet=DropletView(machine.name, name))
