"""The attic: a stack of two small services on the droplet `blue`, released often enough to have something to prune."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.support.lab.cli import CliResult, slipway, slipway_ok
from tests.support.lab.droplet_view import DropletView
from tests.support.lab.git_checkout import checkout, commit
from tests.support.lab.lab_stack import settings
from tests.support.lab.registry_namespace import RegistryNamespace, remove_build_images
from tests.support.lab.saved_blocks import forget, saved

STACK = "attic"
# `side` never changes, so it keeps running from the files of the first release.
COMPOSE = """
name: attic
x-box: &box {init: true, stop_grace_period: 1s, command: [sleep, infinity]}
services:
  web:
    <<: *box
    image: ${REGISTRY}/web:${IMAGE_TAG}
    build: web
    volumes: ["rows:/rows"]
  side:
    <<: *box
    image: ${REGISTRY}/side:${IMAGE_TAG}
    build: side
    volumes: ["./conf:/conf:ro"]
volumes: {rows: {}}
"""
DOCKERFILE = "FROM debian:trixie-slim\nCOPY content /content\n"


@dataclass(frozen=True)
class PrunableStack:
    """The attic's checkout, where its images go, and the droplet it is on."""

    checkout: Path
    registry: RegistryNamespace
    droplet: DropletView
    settings: dict[str, str]

    def release(self, tag: str) -> None:
        """Release another `web`."""
        (self.checkout / "web/content").write_text(tag)
        commit(self.checkout)
        slipway_ok("release", "--stack", str(self.checkout), "--tag", tag, **self.settings)

    def prune(self, *words: str, **more: str) -> CliResult:
        return slipway("prune", "--stack", STACK, *words, **{**self.settings, **more})

    def web(self, tag: str) -> str:
        """The reference by digest of a release's `web`."""
        repository = f"{self.registry.namespace}/web"
        return f"{self.registry.host}/{repository}@{self.registry.digest(repository, tag)}"

    def standing(self) -> dict[str, set[str]]:
        """Everything with `attic` in its name that a prune could take: containers, images, volumes, networks; and what
        stands below `releases/` and `incoming/`."""
        sh, home = self.droplet.sh, self.droplet.home
        engine = {
            "containers": "docker ps -a --format '{{.Names}}'",
            "images": "docker images --digests --format '{{.Repository}}@{{.Digest}}'",
            "volumes": "docker volume ls -q",
            "networks": "docker network ls --format '{{.Name}}'",
        }
        return {
            **{kind: {name for name in sh(asked).split() if STACK in name} for kind, asked in engine.items()},
            "releases": {name.rpartition(".")[0] for name in sh(f"ls {home}/releases").split()},
            "incoming": set(sh(f"ls -A {home}/incoming 2>/dev/null || true").split()),
        }


@contextmanager
def open_prunable_stack(tmp: Path) -> Iterator[PrunableStack]:
    """Three releases, v1 to v3, and a row in a volume; afterwards nothing of the attic is left anywhere."""
    from blocks import ContainerRegistry, StackEnvironment  # noqa: PLC0415 — after the environment is set

    registry = RegistryNamespace(ContainerRegistry.load("registry"), "test-attic")
    droplet = DropletView("blue", STACK)
    own = dict(settings(tmp / "reports", SLIPWAY_REGISTRY="attic-registry", SLIPWAY_DROPLET="blue"))
    source = tmp / "source"
    for path, text in {"compose.yaml": COMPOSE, "conf/app.ini": "[app]\n"}.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(text)
    for name in ("web", "side"):
        (source / name).mkdir()
        (source / name / "Dockerfile").write_text(DOCKERFILE)
        (source / name / "content").write_text(name)
    with ExitStack() as stack:
        for tidy in (
            partial(remove_build_images, f"/{registry.namespace}"),
            registry.empty,
            partial(droplet.remove, registry.namespace),
            partial(forget, StackEnvironment, STACK),
        ):
            tidy()  # what a killed run left
            stack.callback(tidy)
        stack.enter_context(saved(attic_registry=registry.named()))
        attic = PrunableStack(checkout(source, tmp / "attic"), registry, droplet, own)
        for tag in ("v1", "v2", "v3"):
            attic.release(tag)
        droplet.inside("web", "sh", "-c", "'echo mine >/rows/row'")
        yield attic
