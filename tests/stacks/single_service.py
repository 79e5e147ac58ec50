"""One small, careless service with a directory of its own on the droplet `blue`, in several versions."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.lab.cli import CliResult
from tests.support.lab.git_checkout import checkout, commit
from tests.support.lab.lab_stack import LabStack, lab_stack

STACK, BLOCK = "single-service", "single-service-droplet"
# How a release behaves.
WELL, CRASHES, LIES = "well", "crashes", "lies"
_VOLUME = f"{STACK}_rows"


@dataclass(frozen=True)
class SingleServiceStack(LabStack):
    """The stack; its releases are made from its checkout."""

    @property
    def checkout(self) -> Path:
        return self.place / STACK

    def save_environment(self, greeting: str = "hello", colour: str = "green", token: str = "open sesame") -> None:
        """What the next deploys are given; in the env file a value stands in single quotes."""
        from blocks import StackEnvironment  # noqa: PLC0415 — after the environment is set

        files = {"web.env": f"COLOUR='{colour}'\n", "secrets/token": f"{token}\n"}
        StackEnvironment(variables={"GREETING": greeting}, files=files).save(STACK, overwrite=True)

    def make(self, tag: str, behaviour: str = WELL) -> list[str]:
        """Commit a version of this behaviour; returns the options that build it under this tag."""
        (self.checkout / "version").write_text(tag)
        (self.checkout / "behaviour").write_text(behaviour)
        commit(self.checkout)
        return ["--stack", str(self.checkout), "--tag", tag]

    def release(self, tag: str, behaviour: str = WELL, **more: str) -> CliResult:
        """Make a version and release it, however that ends."""
        return self.slipway("release", *self.make(tag, behaviour), **more)

    def good(self, *tags: str) -> None:
        """Release these, one after the other, and all well."""
        for tag in tags:
            self.slipway_ok("release", *self.make(tag))

    def publish(self, tag: str, behaviour: str = WELL) -> None:
        """Make a version, and build and push it."""
        self.slipway_ok("build-push", *self.make(tag, behaviour))

    def settle(self, *tags: str) -> None:
        """Begin anew: these published releases were deployed to the droplet, one after the other, and all were good."""
        self.clear()
        for tag in tags:
            for words in (["deploy", "--tag", tag], ["validate"]):
                said = self.on_droplet(*words)
                assert said.code == 0, said.all

    def on_droplet(self, verb: str, *words: str, **more: str) -> CliResult:
        """`slipway VERB` of this stack on this droplet."""
        return self.slipway(verb, "--stack", STACK, "--droplet", BLOCK, *words, **more)

    def records(self) -> list[dict[str, Any]]:
        """The records as they stand on the droplet, oldest first."""
        names = self.droplet.sh(f"cd {self.droplet.home}/history && ls *.json").split()
        return [json.loads(self.droplet.sh(f"cat {self.droplet.home}/history/{name}")) for name in names]

    def outcomes(self) -> list[tuple[str, str, str]]:
        """Of each record what was done, with which tag, and what became of it."""
        return [(record["kind"], record["tag"], record["outcome"]) for record in self.records()]

    def write_row(self, row: str) -> None:
        """Add a row to what it keeps."""
        self.droplet.inside("web", "sh", "-c", f"'echo {row} >>/data/rows'")

    def kept(self) -> str:
        """The rows it keeps, and when their volume was made."""
        made = self.droplet.sh(f"docker volume inspect --format '{{{{.CreatedAt}}}}' {_VOLUME}")
        return made + self.droplet.sh(f"cat $(docker volume inspect --format '{{{{.Mountpoint}}}}' {_VOLUME})/rows")

    def image(self, tag: str) -> str:
        """The reference, by digest, under which the registry holds the image of a release."""
        repository = f"{self.registry.namespace}/{STACK}"
        return f"{self.registry.host}/{repository}@{self.registry.digest(repository, tag)}"

    def assert_runs(self, tag: str) -> None:
        """The image of this release runs, by digest, it is the current one, and nothing else stands there."""
        containers = self.droplet.containers()
        assert {name: entry["State"]["Status"] for name, entry in containers.items()} == {"web": "running"}
        assert containers["web"]["Config"]["Image"] == self.image(tag)
        assert self.image(tag) in self.droplet.digests()["web"]
        assert self.droplet.inside("web", "cat", "/srv/version") == tag
        assert json.loads(self.droplet.sh(f"cat {self.droplet.home}/current/release.json"))["tag"] == tag

    def clear(self) -> None:
        """Take the stack and its records off the droplet; images stay."""
        self.droplet.remove("no-such-image")


@contextmanager
def open_single_service_stack(place: Path) -> Iterator[SingleServiceStack]:
    """Everything a first release needs."""
    own = {"SLIPWAY_HEALTH_PATIENCE": "0.5"}
    with lab_stack(SingleServiceStack, STACK, "blue", place, **own) as stack:
        checkout(Path(__file__).parent / "single_service", stack.checkout)
        stack.save_environment()
        yield stack
