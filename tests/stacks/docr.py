"""One service in DigitalOcean's registry, on the droplet `data`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.lab.cli import CliResult
from tests.support.lab.digitalocean_account import Cloud, calm_cloud
from tests.support.lab.lab import CA, DOCR
from tests.support.lab.lab_stack import LabStack, lab_stack

STACK, NAME = "docr-app", "slipway-lab"
COMPOSE = """
name: docr-app
services:
  web:
    build: .
    image: ${REGISTRY}/docr-app-web:${IMAGE_TAG}
    init: true
    command: [sleep, infinity]
"""
DOCKERFILE = 'FROM debian:trixie-slim\nCOPY version /version\nLABEL dev.slipway.sample="true"\n'


@dataclass(frozen=True)
class DocrNamespace:
    """What the stack has in a registry of DigitalOcean's."""

    cloud: Cloud
    block: Any
    namespace: str = STACK

    def named(self) -> Any:
        return self.block

    def empty(self) -> None:
        """Remove its images and releases."""
        with self.cloud.client() as client:
            for repository in (f"{STACK}-web", f"{STACK}-release"):
                for manifest in client.registries.manifests(NAME, repository):
                    client.registries.remove_manifest(NAME, repository, manifest.digest)


@dataclass(frozen=True)
class DocrStack(LabStack):
    """The stack, and the account its registry belongs to."""

    cloud: Cloud
    here: tuple[str, ...] = ("--stack", STACK, "--droplet", f"{STACK}-droplet")

    @property
    def source(self) -> Path:
        return self.place / "source"

    def publish(self, tag: str, **more: str) -> CliResult:
        (self.source / "version").write_text(tag * 100_000)
        return self.slipway("build-push", "--stack", str(self.source), "--tag", tag, **more)

    def tags(self, repository: str = f"{STACK}-web", registry: str = NAME) -> list[str]:
        with self.cloud.client() as client:
            return sorted(tag.tag for tag in client.registries.tags(registry, repository))

    def manifests(self, repository: str = f"{STACK}-web", registry: str = NAME) -> set[str]:
        with self.cloud.client() as client:
            return {m.digest for m in client.registries.manifests(registry, repository)}


@contextmanager
def open_docr_stack(place: Path) -> Iterator[DocrStack]:
    """The stack, its registry block, and an account as it is by default."""
    from blocks import DocrRegistry  # noqa: PLC0415 — after the environment is set

    (place / "source").mkdir()
    (place / "source/compose.yaml").write_text(COMPOSE)
    (place / "source/Dockerfile").write_text(DOCKERFILE)
    with calm_cloud() as cloud:
        registry: Any = DocrNamespace(
            cloud,
            DocrRegistry(registry_url=DOCR, account=cloud.account(), registry_name=NAME, ca_certificate=CA.read_text()),
        )
        with lab_stack(
            DocrStack, STACK, "data", place, registry=registry, cloud=cloud,
            SLIPWAY_REGISTRY_RELEASES="1", SLIPWAY_ACCOUNT="", SLIPWAY_DROPLETS=f'["green", "blue", "{STACK}-droplet"]',
        ) as stack:  # fmt: skip
            yield stack
