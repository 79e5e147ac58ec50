"""Two services whose releases are signed, on the droplet `blue`; and somebody else who may push to its registry."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.lab.cli import CliResult
from tests.support.lab.lab_stack import LabStack, lab_stack
from tests.support.lab.saved_blocks import forget

STACK = "signed-app"
COMPOSE = """
name: signed-app
services:
  web:
    build: web
    image: ${REGISTRY}/signed-web:${IMAGE_TAG}
    init: true
    command: [sleep, infinity]
  worker:
    build: worker
    image: ${REGISTRY}/signed-worker:${IMAGE_TAG}
    init: true
    command: [sleep, infinity]
"""
DOCKERFILE = "FROM debian:trixie-slim\nCOPY version /version\n"


@dataclass(frozen=True)
class SignedStack(LabStack):
    """The stack, its keys, and what an attacker does to its registry."""

    here: tuple[str, ...] = ("--stack", STACK)

    @property
    def source(self) -> Path:
        return self.place / "source"

    def publish(self, tag: str, web: str = "", worker: str = "", **more: str) -> CliResult:
        """Build and push a release; what a service holds changes where its text does."""
        for service, text in (("web", web), ("worker", worker)):
            if text:
                (self.source / service / "version").write_text(text)
        return self.slipway("build-push", "--stack", str(self.source), "--tag", tag, **more)

    def deploy(self, tag: str, *words: str, **more: str) -> CliResult:
        return self.slipway("deploy", *self.here, "--tag", tag, *words, **more)

    def path(self, name: str) -> str:
        """The repository `web`, `worker` or `release`, as the registry's API names it."""
        own = f"{STACK}-release" if name == "release" else f"signed-{name}"
        return f"{self.registry.namespace}/{own}"

    def digest(self, name: str, tag: str) -> str:
        return self.registry.digest(self.path(name), tag)

    def move(self, name: str, source: str, tag: str) -> None:
        """Let a tag mean what another tag or digest of the same repository means."""
        with self.registry.block.client() as client:
            client.tag(self.path(name), client.manifest(self.path(name), source), tag)

    def cosign(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run cosign itself, logged in to the registry."""
        with self.registry.block.docker_config() as login:
            return subprocess.run(
                ["cosign", *words], env={**os.environ, **login, **env}, capture_output=True, text=True, timeout=120,
                check=False,
            )  # fmt: skip

    def reference(self, name: str, tag: str) -> str:
        return f"{self.registry.host}/{self.path(name)}@{self.digest(name, tag)}"


@contextmanager
def open_signed_stack(place: Path) -> Iterator[SignedStack]:
    """The stack with its source written and no key saved yet."""
    from blocks import SigningKey, TrustedKeys  # noqa: PLC0415 — after the environment is set

    for service in ("web", "worker"):
        (place / "source" / service).mkdir(parents=True)
        (place / "source" / service / "Dockerfile").write_text(DOCKERFILE)
        (place / "source" / service / "version").write_text(f"{service} 1")
    (place / "source/compose.yaml").write_text(COMPOSE)
    signing, trusted = f"{STACK}-signing", f"{STACK}-trusted"
    with lab_stack(SignedStack, STACK, "blue", place, SLIPWAY_SIGNING=signing, SLIPWAY_TRUSTED=trusted) as stack:
        try:
            yield stack
        finally:
            forget(SigningKey, signing)
            forget(TrustedKeys, trusted)


def forge(stack, tag, change):
    """Publish a release document that an attacker changed, under a tag that is taken."""
    from flows.core.release import bundle  # noqa: PLC0415 — after the environment is set

    path = stack.path("release")
    with stack.registry.block.client() as client:
        manifest = client.manifest(path, tag).content
        own = bundle.unpack(client.blob(path, manifest["layers"][0]["digest"]))
        document = json.loads(own[bundle.DOCUMENT].content)
        own = {**own, bundle.DOCUMENT: bundle.File(json.dumps(change(document)).encode())}
        client.push_files(path, tag, bundle.pack(own), "sha256:" + "0" * 64, {})


def swapped(services):
    return {"web": services["worker"], "worker": services["web"]}


def signature_tag(digest):
    return f"{digest.replace(':', '-')}.sig"


def delete(stack, name, digest):
    answer = stack.registry._http().delete(f"/v2/{stack.path(name)}/manifests/{digest}")
    answer.raise_for_status()
