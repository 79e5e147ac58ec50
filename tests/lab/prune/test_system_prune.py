"""The last resort: everything unused goes from a droplet, but no named volume and nothing that a release needs.

It spares nobody's leftovers, so it is let loose on an engine of its own inside the droplet `blue`: an SSH key with a
forced command leads there.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import pytest
from typer.testing import CliRunner

from tests.faults.harness.doubles.forced_command import forced_command
from tests.stacks.invalid_input import REFUSED, assert_one_error, plain
from tests.support.lab.cli import CliResult, slipway
from tests.support.lab.droplet_view import DropletView
from tests.support.lab.registry_namespace import RegistryNamespace, remove_build_images
from tests.support.lab.saved_blocks import saved

pytestmark = pytest.mark.lab

NAME = "last-resort"
PLACE = "/var/lib/slipway-second"
SOCKET = f"unix://{PLACE}/docker.sock"
DIRECTORY = f"{PLACE}/opt"
RELEASE = f"{DIRECTORY}/shop/releases/v1.{'a' * 16}"
# With no bridge at all it would take away that of the first engine.
BRIDGE = "slipway-second"
ENGINE = (
    f"dockerd --data-root {PLACE}/data --exec-root {PLACE}/run --pidfile {PLACE}/pid --host {SOCKET} "
    f"--bridge {BRIDGE} --iptables=false --ip6tables=false --ip-forward=false --shutdown-timeout 1"
)
# What the refusal says → how the forced command changes the engine's or the client's age.
OLD = {
    "its Docker Engine is 20.10.24": (
        f"mkdir -p {PLACE}/bin; printf '#!/bin/sh\\n/usr/bin/docker \"$@\" | sed s/^26[^[:blank:]]*/20.10.24/\\n' "
        f">{PLACE}/bin/docker; chmod 755 {PLACE}/bin/docker; export PATH={PLACE}/bin:$PATH"
    ),
    "its docker client speaks API 1.41": "export DOCKER_API_VERSION=1.41",
}


@dataclass(frozen=True)
class Second:
    """The second engine of the droplet, and what lies on it."""

    on: DropletView
    kept: str

    def sh(self, script: str, stdin: bytes = b"") -> str:
        return self.on.sh(f"export DOCKER_HOST={SOCKET} DOCKER_CONFIG={PLACE}/docker\n{script}", stdin)

    def standing(self) -> set[str]:
        return set(self.sh("docker ps -aq; docker images -aq; docker volume ls -q; docker network ls -q").split())

    def run(self, *words: str, typed: str | None = None, **settings: str) -> CliResult:
        if typed is None:
            return slipway("system-prune", "--droplet", NAME, *words, **settings)
        from flows.cli.main import app  # noqa: PLC0415 — after the environment is set

        answer = CliRunner().invoke(app, ["system-prune", "--droplet", NAME, *words], input=typed)
        return CliResult(answer.exit_code, answer.stdout, answer.stderr)


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Second]:
    from blocks import ContainerRegistry  # noqa: PLC0415 — after the environment is set

    tmp, on = tmp_path_factory.mktemp("second"), DropletView("blue", "shop", DIRECTORY)
    registry = RegistryNamespace(ContainerRegistry.load("registry"), "test-last-resort")
    with ExitStack() as stack:
        for tidy in (lambda: remove_build_images(f"/{registry.namespace}"), registry.empty, lambda: _stop(on)):
            tidy()  # what a killed run left
            stack.callback(tidy)
        on.sh(f"ip link add {BRIDGE} type bridge; ip addr add 10.202.0.1/24 dev {BRIDGE}")
        on.sh(f"mkdir -p {PLACE}/docker {RELEASE}; {ENGINE} >{PLACE}/log 2>&1 &")
        kept = _pushed(registry, tmp)
        engine = Second(on, kept)
        engine.sh("timeout 30 sh -c 'until docker version >/dev/null 2>&1; do sleep 0.1; done'")
        login = f"docker login --username {registry.block.username} --password-stdin {registry.host} >/dev/null 2>&1"
        engine.sh(f"{login}; docker pull -q {kept}", registry.block.password.get_secret_value().encode())
        on.sh(f"cat >{RELEASE}/release.json", _document(kept, registry.host))
        yield engine


@pytest.fixture
def full(second: Second) -> Iterator[Second]:
    """A row in a named volume, and one of everything that is unused."""
    second.sh(
        "docker volume create shop_rows; echo mine >$(docker volume inspect --format '{{.Mountpoint}}' shop_rows)/row\n"
        "docker volume create; tar -c /etc/hostname | docker import -; tar -c /etc/hosts | docker import - tagged:1\n"
        "docker ps -aq --filter name=^stopped$ | grep -q . || docker create --name stopped --network none tagged:1 true"
    )
    with _entered_by(second.on, ":"):
        yield second


def test_nothing_is_removed_before_the_droplets_name_is_said(full: Second) -> None:
    standing = full.standing()
    for answer in (full.run(), full.run("--confirm", "blue"), full.run(typed="yes\n"), full.run("--confirm", "")):
        assert_one_error(answer, REFUSED, "NotConfirmed", ("Nothing was changed", f"--confirm {NAME}"))
    assert full.standing() == standing


def test_what_would_go_is_shown_to_whoever_is_asked(full: Second) -> None:
    shown = full.run(typed="\n").out
    assert f"Type the droplet's name ({NAME}) to go on" in shown
    rows = {line.split()[0] for line in shown.splitlines() if line.startswith(("container", "image", "anonymous"))}
    assert rows == {"container", "image", "anonymous"}
    assert "1 named volumes stay" in shown
    assert full.kept.partition("@")[2] not in shown


@pytest.mark.parametrize("words", OLD)
def test_an_engine_that_would_take_named_volumes_is_refused_when(words: str, full: Second) -> None:
    standing = full.standing()
    with _entered_by(full.on, OLD[words]):
        assert_one_error(full.run("--confirm", NAME), REFUSED, "EngineTooOld", (words, "Nothing was changed"))
    assert full.standing() == standing


@pytest.mark.parametrize("asked", [True, False])
def test_everything_unused_goes_but_named_volumes_and_what_a_release_needs(asked: bool, full: Second) -> None:
    said = full.run(typed=f"{NAME}\n") if asked else full.run("--confirm", NAME)
    assert said.code == 0, said.all
    assert "Total reclaimed space" in said.out
    assert "All 1 named volumes are still there" in said.out
    assert full.sh("cat $(docker volume inspect --format '{{.Mountpoint}}' shop_rows)/row") == "mine\n"
    assert full.sh("docker volume ls -q; docker ps -aq").split() == ["shop_rows"]
    tags = full.sh("docker images --format '{{.Repository}}:{{.Tag}}'").split()
    digest = full.kept.partition("sha256:")[2][:16]
    assert sorted(tag.rpartition("/")[2] for tag in tags) == [f"kept:slipway-{digest}", "tagged:1"]


def test_while_another_changes_the_droplet_it_is_refused(full: Second) -> None:
    full.on.sh(f"flock {DIRECTORY}/lock sleep 600 >/dev/null 2>&1 & echo $! >{PLACE}/locker; sleep 0.2")
    try:
        assert_one_error(full.run("--confirm", NAME), REFUSED, "DropletBusy", ("Nothing was changed",))
    finally:
        full.on.sh(f"pkill -P $(cat {PLACE}/locker)")


def _pushed(registry: RegistryNamespace, tmp: Path) -> str:
    (tmp / "file").write_text("kept")
    name = registry.push("kept:1", "FROM scratch\nCOPY file /\n", tmp)
    return f"{name.removesuffix(':1')}@{registry.digest(f'{registry.namespace}-elsewhere/kept', '1')}"


def _document(reference: str, host: str) -> bytes:
    from flows.core.release.release import Image, Release  # noqa: PLC0415 — after the environment is set

    images = {reference: Image(platforms=("linux/amd64",))}
    return Release(
        stack="shop",
        tag="v1",
        compose_files=("compose.yml",),
        services={"kept": reference},
        images=images,
        registry=host,
    ).document()


@contextmanager
def _entered_by(on: DropletView, command: str) -> Iterator[None]:
    """The droplet as `last-resort`, where a key of its own leads to the second engine, after `command`."""
    from blocks import Droplet  # noqa: PLC0415 — after the environment is set

    enter = f"export DOCKER_HOST={SOCKET}\n{command}"
    with forced_command(on, f"{PLACE}/enter-{token_hex(4)}", enter) as private:
        changed = {"private_key": private, "directory": DIRECTORY}
        with saved(last_resort=Droplet.model_validate({**plain(Droplet.load("blue")), **changed})):
            yield


def _stop(on: DropletView) -> None:
    """End the second engine, and remove what it had."""
    on.sh(
        f"if [ -f {PLACE}/pid ]; then pid=$(cat {PLACE}/pid); kill $pid 2>/dev/null || true\n"
        'timeout 30 sh -c "while kill -0 $pid 2>/dev/null; do sleep 0.1; done"; fi\n'
        f"for mount in $(grep -o '{PLACE}/[^ ]*' /proc/mounts || true); do umount $mount || true; done\n"
        f"rm -rf {PLACE}; ip link delete {BRIDGE} 2>/dev/null || true"
    )
