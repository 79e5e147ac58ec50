"""Two small services on the droplet `blue`, released often enough to have something to prune."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.lab.cli import CliResult
from tests.support.lab.git_checkout import checkout, commit
from tests.support.lab.lab_stack import LabStack, lab_stack

STACK = "prunable"
# `side` never changes, so it keeps running from the files of the first release.
COMPOSE = """
name: prunable
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
class PrunableStack(LabStack):
    """The stack; its checkout is `place / "checkout"`."""

    def release(self, tag: str) -> None:
        """Release another `web`."""
        (self.place / "checkout/web/content").write_text(tag)
        commit(self.place / "checkout")
        self.slipway_ok("release", "--stack", str(self.place / "checkout"), "--tag", tag)

    def prune(self, *words: str, **more: str) -> CliResult:
        return self.slipway("prune", "--stack", STACK, "--wide", *words, **more)

    def web(self, tag: str) -> str:
        """The reference by digest of a release's `web`."""
        repository = f"{self.registry.namespace}/web"
        return f"{self.registry.host}/{repository}@{self.registry.digest(repository, tag)}"

    def state(self) -> dict[str, set[str]]:
        """Everything with the stack's name in its own that a prune could take: containers, images, volumes, networks;
        and what stands below `releases/` and `incoming/`."""
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
def open_prunable_stack(place: Path) -> Iterator[PrunableStack]:
    """Three releases, v1 to v3, and a row in a volume."""
    source = place / "source"
    files = {"compose.yaml": COMPOSE, "conf/app.ini": "[app]\n"}
    for name in ("web", "side"):
        files |= {f"{name}/Dockerfile": DOCKERFILE, f"{name}/content": name}
    for path, text in files.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(text)
    with lab_stack(PrunableStack, STACK, "blue", place) as stack:
        checkout(source, place / "checkout")
        for tag in ("v1", "v2", "v3"):
            stack.release(tag)
        stack.droplet.inside("web", "sh", "-c", "'echo mine >/rows/row'")
        yield stack
