"""The kiosk: one small, careless service with a directory of its own on the droplet `blue`, in several versions."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.lab.cli import CliResult, slipway, slipway_ok
from tests.support.lab.droplet_view import DropletView
from tests.support.lab.git_checkout import checkout, commit
from tests.support.lab.lab_stack import settings
from tests.support.lab.registry_namespace import RegistryNamespace, remove_build_images
from tests.support.lab.saved_blocks import forget, saved

STACK, BLOCK = "kiosk", "kiosk-droplet"
# How a release behaves.
WELL, CRASHES, LIES = "well", "crashes", "lies"
_VOLUME = f"{STACK}_rows"


@dataclass(frozen=True)
class SingleServiceStack:
    """The kiosk's checkout, its namespace of the registry, and the droplet it is on."""

    checkout: Path
    registry: RegistryNamespace
    droplet: DropletView
    settings: dict[str, str]

    def save_environment(self, greeting: str = "hello", colour: str = "green", token: str = "open sesame") -> None:
        """What the next deploys are given; in the env file a value stands in single quotes."""
        from blocks import StackEnvironment  # noqa: PLC0415 — after the environment is set

        files = {"till.env": f"COLOUR='{colour}'\n", "secrets/token": f"{token}\n"}
        StackEnvironment(variables={"GREETING": greeting}, files=files).save(STACK, overwrite=True)

    def make(self, tag: str, habit: str = WELL) -> list[str]:
        """Commit a version of this habit; returns the options that build it under this tag."""
        (self.checkout / "version").write_text(tag)
        (self.checkout / "habit").write_text(habit)
        commit(self.checkout)
        return ["--stack", str(self.checkout), "--tag", tag]

    def release(self, tag: str, habit: str = WELL, **more: str) -> CliResult:
        """Make a version and release it, however that ends."""
        return slipway("release", *self.make(tag, habit), **{**self.settings, **more})

    def good(self, *tags: str) -> None:
        """Release these, one after the other, and all well."""
        for tag in tags:
            said = self.release(tag)
            assert said.code == 0, said.all

    def publish(self, tag: str, habit: str = WELL) -> None:
        """Make a version, and build and push it."""
        slipway_ok("build-push", *self.make(tag, habit), **self.settings)

    def settle(self, *tags: str) -> None:
        """Begin anew: these published releases, one after the other, were put on the droplet, and all were good."""
        self.clear()
        for tag in tags:
            for words in (["deploy", "--tag", tag], ["validate"]):
                said = self.slipway(*words)
                assert said.code == 0, said.all

    def slipway(self, verb: str, *words: str, **more: str) -> CliResult:
        """`slipway VERB` of this stack on this droplet."""
        return slipway(verb, "--stack", STACK, "--droplet", BLOCK, *words, **{**self.settings, **more})

    def records(self) -> list[dict[str, Any]]:
        """The records as they stand on the droplet, oldest first."""
        names = self.droplet.sh(f"cd {self.droplet.home}/history && ls *.json").split()
        return [json.loads(self.droplet.sh(f"cat {self.droplet.home}/history/{name}")) for name in names]

    def outcomes(self) -> list[tuple[str, str, str]]:
        """Of each record what was done, with which tag, and what became of it."""
        return [(record["kind"], record["tag"], record["outcome"]) for record in self.records()]

    def write_row(self, row: str) -> None:
        """Add a row to what the till keeps."""
        self.droplet.inside("till", "sh", "-c", f"'echo {row} >>/data/rows'")

    def kept(self) -> str:
        """The rows the till keeps, and when their volume was made."""
        made = self.droplet.sh(f"docker volume inspect --format '{{{{.CreatedAt}}}}' {_VOLUME}")
        return made + self.droplet.sh(f"cat $(docker volume inspect --format '{{{{.Mountpoint}}}}' {_VOLUME})/rows")

    def image(self, tag: str) -> str:
        """The reference, by digest, under which the registry holds the image of a release."""
        repository = f"{self.registry.namespace}/{STACK}"
        return f"{self.registry.host}/{repository}@{self.registry.digest(repository, tag)}"

    def assert_runs(self, tag: str) -> None:
        """The image of this release runs, by digest, it is the current one, and nothing else stands there."""
        containers = self.droplet.containers()
        assert {name: entry["State"]["Status"] for name, entry in containers.items()} == {"till": "running"}
        assert containers["till"]["Config"]["Image"] == self.image(tag)
        assert self.image(tag) in self.droplet.digests()["till"]
        assert self.droplet.inside("till", "cat", "/srv/version") == tag
        assert json.loads(self.droplet.sh(f"cat {self.droplet.home}/current/release.json"))["tag"] == tag

    def clear(self) -> None:
        """Take the stack and its records off the droplet; images stay."""
        self.droplet.remove("no-such-image")
        self.droplet.sh(f"rm -rf {self.droplet.directory}")


@contextmanager
def open_single_service_stack(tmp: Path) -> Iterator[SingleServiceStack]:
    """Everything a first release needs; afterwards nothing of the kiosk is left anywhere."""
    from blocks import ContainerRegistry, Droplet, StackEnvironment  # noqa: PLC0415 — after the environment is set

    registry = RegistryNamespace(ContainerRegistry.load("registry"), "test-kiosk")
    droplet = DropletView("blue", STACK, f"/opt/slipway-{STACK}")
    own = settings(tmp / "reports", SLIPWAY_REGISTRY="kiosk-registry", SLIPWAY_DROPLET=BLOCK)
    own = {**own, "SLIPWAY_HEALTH_PATIENCE": "0.5"}
    kiosk = SingleServiceStack(
        checkout(Path(__file__).parent / "single_service", tmp / "kiosk"), registry, droplet, own
    )
    with ExitStack() as stack:
        for tidy in (
            partial(remove_build_images, f"/{registry.namespace}"),
            registry.empty,
            partial(droplet.remove, registry.namespace),
            partial(droplet.sh, f"rm -rf {droplet.directory}"),
            partial(forget, StackEnvironment, STACK),
        ):
            tidy()  # what a killed run left
            stack.callback(tidy)
        block = Droplet.load("blue").model_copy(update={"directory": droplet.directory})
        stack.enter_context(saved(kiosk_registry=registry.named(), kiosk_droplet=block))
        kiosk.save_environment()
        yield kiosk
