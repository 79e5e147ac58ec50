"""The stack as a plain Compose project beside the one that Slipway releases: `docker compose up -d` in place, and
docker-rollout. Two releases of it are there by tag, of which the second has another gateway.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.command import run
from benchmarks.droplet.machine import MACHINE, STACK, measured, on_it, port
from benchmarks.droplet.releases import Releases
from benchmarks.load import load

PROJECT = "plain"
STATELESS = (
    "gateway-mcp", "orchestrator", "feature-dev", "code-review", "infrastructure", "cicd", "documentation"
)  # fmt: skip
# Alike on every way: what its server ends in order is not counted as cut.
LOADED = {"seconds": 1800, "requests": 500_000, "streams_end": True}
_FILES = "-f docker-compose.yml -f one-droplet.yml"
_REST = 8.0
_HERE, _FRONT = Path(__file__).parent, "/root/agents/front"
_PLUGIN = "/usr/local/lib/docker/cli-plugins/docker-rollout"


@dataclass(frozen=True)
class Plain:
    """The images of the project that was adopted: their registry, their tag, and `other`, with a newer gateway."""

    registry: str
    tag: str

    def compose(self, tag: str, files: str, words: str) -> None:
        """Run Compose, or a plugin that takes the same arguments, in the project's directory."""
        given = f"REGISTRY={self.registry} IMAGE_TAG={tag} CA_BUNDLE=/root/agents/ca"
        script = words.replace("FILES", f"-p {PROJECT} {files}")
        on_it("sh", "-c", f"cd /root/agents && export {given} && {script}")


def find_plain() -> Plain:
    """Find the images, and tag the gateway that runs now as the newer one."""
    service = "label=com.docker.compose.service=gateway-mcp"
    first = f"docker ps -aq --filter label=com.docker.compose.project={STACK} --filter {service}"
    image = on_it("sh", "-c", f"docker inspect --format '{{{{.Config.Image}}}}' $({first})").strip()
    registry, _, tag = image.rpartition("/gateway-mcp:")
    other = on_it("sh", "-c", f"docker ps -q --filter {service} | head -n 1").strip()
    newer = on_it("docker", "inspect", "--format", "{{.Image}}", other).strip()
    names = f"docker images --format '{{{{.Repository}}}}:{{{{.Tag}}}}' | grep ':{tag}$'"
    on_it("sh", "-c", f"for name in $({names}); do docker tag $name ${{name%:*}}:other; done")
    on_it("docker", "tag", newer, f"{registry}/gateway-mcp:other")
    return Plain(registry, tag)


def in_place(rounds: int) -> Releases:
    """`docker compose up -d` over the running project."""
    plain = find_plain()
    up = "docker compose FILES up -d --no-build --wait"
    with _started(plain, _FILES):
        return rounds_of("docker compose up -d", rounds, lambda tag: plain.compose(tag, _FILES, up), plain)


def rolled_out(rounds: int) -> Releases | None:
    """docker-rollout, service after service, behind a proxy that serves what is healthy; the gateway drains 10 seconds.

    Returns:
        None when `docker-rollout` is not on PATH.
    """
    script = shutil.which("docker-rollout")
    if script is None:
        return None
    plain, files = find_plain(), f"{_FILES} -f front.yml"
    on_it("mkdir", "-p", _PLUGIN.rpartition("/")[0], _FRONT)
    for file, to in (
        (script, _PLUGIN),
        (_HERE / "rollout.yml", f"{_FRONT}.yml"),
        (_HERE / "front.sh", f"{_FRONT}/run"),
    ):
        run(["docker", "cp", "-q", str(file), f"{MACHINE}:{to}"])
    run(["docker", "exec", "--detach", MACHINE, f"{_FRONT}/run"])
    rest = "for each in {}; do docker rollout FILES $each || exit 1; done".format(" ".join(STATELESS[1:]))
    words = f"docker rollout FILES --pre-stop-hook 'touch /tmp/drain && sleep 10' {STATELESS[0]} && {rest}"
    try:
        with _started(plain, files):
            return rounds_of("docker-rollout", rounds, lambda tag: plain.compose(tag, files, words), plain)
    finally:
        on_it("rm", "-f", _PLUGIN, f"{_FRONT}.yml", f"{_FRONT}/on")


def rounds_of(name: str, rounds: int, change: Callable[[str], None], plain: Plain) -> Releases:
    """Change to the other release and back again, in turn, under load."""
    seconds = list[float]()
    with load(f"http://127.0.0.1:{port(8000)}", **LOADED) as running, measured(f"{PROJECT}-", "kamal-proxy") as memory:
        for number in range(rounds):
            running.wait(_REST)
            began = time.monotonic()
            change("other" if number % 2 == 0 else plain.tag)
            seconds.append(time.monotonic() - began)
        running.wait(_REST)
    return Releases(name, running.result, seconds, memory)


@contextmanager
def _started(plain: Plain, files: str) -> Iterator[None]:
    """The project runs meanwhile, and is gone afterwards."""
    try:
        plain.compose(plain.tag, files, "docker compose FILES up -d --no-build --wait")
        yield
    finally:
        plain.compose(plain.tag, files, "docker compose FILES down --volumes")
