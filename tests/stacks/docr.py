"""The booth: a stack of one service in DigitalOcean's registry, on the droplet `data`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.lab.cli import CliResult, slipway
from tests.support.lab.digitalocean_account import Cloud, calm_cloud
from tests.support.lab.droplet_view import DropletView
from tests.support.lab.lab import port
from tests.support.lab.lab_stack import settings
from tests.support.lab.registry_namespace import remove_build_images
from tests.support.lab.saved_blocks import saved

STACK, DROPLET, NAME = "booth", "data", "slipway-lab"
HOST = f"127.0.0.1:{port('DOCR', 5001)}"
COMPOSE = """
name: booth
services:
  till:
    build: .
    image: ${REGISTRY}/booth-till:${IMAGE_TAG}
    init: true
    command: [sleep, infinity]
"""
DOCKERFILE = 'FROM debian:trixie-slim\nCOPY version /version\nLABEL dev.slipway.sample="true"\n'


@dataclass(frozen=True)
class DocrStack:
    """The stack's directory, the account, the registry's block, and the settings of its commands."""

    directory: Path
    cloud: Cloud
    block: Any
    settings: dict[str, str]
    on: DropletView
    here: tuple[str, ...] = ("--stack", STACK, "--droplet", DROPLET)

    def publish(self, tag: str, **more: str) -> CliResult:
        (self.directory / "version").write_text(tag * 100_000)
        return slipway("build-push", "--stack", str(self.directory), "--tag", tag, **{**self.settings, **more})

    def tags(self, repository: str = "booth-till", registry: str = NAME) -> list[str]:
        with self.cloud.client() as client:
            return sorted(tag.tag for tag in client.registries.tags(registry, repository))

    def manifests(self, repository: str = "booth-till", registry: str = NAME) -> set[str]:
        with self.cloud.client() as client:
            return {m.digest for m in client.registries.manifests(registry, repository)}

    def empty(self) -> None:
        """Remove what the stack has in the registry."""
        with self.cloud.client() as client:
            for repository in ("booth-till", "booth-release"):
                for manifest in client.registries.manifests(NAME, repository):
                    client.registries.remove_manifest(NAME, repository, manifest.digest)


@contextmanager
def open_docr_stack(tmp: Path) -> Iterator[DocrStack]:
    """The stack, its registry block, and the droplet it goes to; nothing of it is left."""
    from blocks import DocrRegistry  # noqa: PLC0415 — after the environment is set

    directory, reports = tmp / "booth", tmp / "reports"
    directory.mkdir()
    (directory / "compose.yaml").write_text(COMPOSE)
    (directory / "Dockerfile").write_text(DOCKERFILE)
    own = {
        **settings(reports, SLIPWAY_REGISTRY="booth-docr"),
        "SLIPWAY_DROPLETS": '["green", "blue", "data"]', "SLIPWAY_REGISTRY_RELEASES": "1", "SLIPWAY_ACCOUNT": "",
    }  # fmt: skip
    with calm_cloud() as cloud:
        block = DocrRegistry(registry_url=HOST, account=cloud.account(), registry_name=NAME)
        booth = DocrStack(directory, cloud, block, own, DropletView(DROPLET, STACK))
        with saved(booth_docr=block):
            booth.empty()
            yield booth
            booth.on.remove("booth")
            booth.empty()
            remove_build_images("booth-till")
