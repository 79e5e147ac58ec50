"""Pruning a droplet: what no kept release needs goes, exactly that, and it is listed before."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.harness.doubles.forced_command import forced_command
from tests.stacks.invalid_input import FAILED, REFUSED, assert_one_error, plain
from tests.stacks.prunable import STACK, PrunableStack, open_prunable_stack
from tests.support.lab.cli import CliResult
from tests.support.lab.saved_blocks import saved

pytestmark = pytest.mark.lab

LABEL = "com.docker.compose"
# Made by hand beside the stack: none of these may go. `handmade` bears our label, and no registry has it.
BY_HAND = "prunable-handmade:1 prunable-foreign:1"
KEEP_ONE = ("--keep", "1")
GONE = {
    "containers": {"prunable-once", "prunable-gone-1"},
    "images": {"v1"},
    "releases": {"v2"},
    "incoming": {"v9.half-way"},
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrunableStack]:
    with open_prunable_stack(tmp_path_factory.mktemp("prunable")) as stack:
        on = stack.droplet
        on.sh(f"mkdir -p {on.home}/incoming/v9.half-way")
        on.sh(f"tar -c /etc/hostname | docker import --change 'LABEL {LABEL}.project={STACK}' - prunable-handmade:1")
        on.sh("tar -c /etc/hostname | docker import - prunable-foreign:1; docker volume create prunable-foreign")
        on.sh(f"{on.home}/current/compose run --name prunable-once web true")
        # A service that has left the stack, and what somebody runs by hand: its labels are those of its image.
        made = f"--label {LABEL}.service=gone --label {LABEL}.oneoff=False --label {LABEL}.container-number=1"
        on.sh(f"docker run -d --name prunable-gone-1 --init {made} {stack.web('v1')} sleep infinity")
        on.sh(f"docker run --name prunable-by-hand {stack.web('v2')} true")
        yield stack
        on.sh(f"docker rm -f prunable-by-hand; docker rmi -f {BY_HAND}; docker volume rm prunable-foreign")


@pytest.fixture(scope="module")
def before(stack: PrunableStack) -> dict[str, set[str]]:
    return stack.state()


@pytest.fixture(scope="module")
def listed(stack: PrunableStack, before: dict[str, set[str]]) -> CliResult:
    return stack.prune("--dry-run", *KEEP_ONE)


@pytest.fixture(scope="module")
def pruned(stack: PrunableStack, listed: CliResult) -> CliResult:
    return stack.prune(*KEEP_ONE)


def test_a_dry_run_lists_what_would_go_and_changes_nothing(
    stack: PrunableStack, listed: CliResult, before: dict[str, set[str]]
) -> None:
    assert listed.code == 0, listed.all
    assert stack.state() == before
    assert "Would remove 1 release, 1 half-way release, 2 containers, 1 image" in listed.out
    assert "Nothing was changed." in listed.out
    assert _names(stack, listed, "goes") == GONE
    assert "prunable-side-1 has files of it mounted" in listed.out
    assert "it was built here, and no registry has it" in listed.out
    assert "prunable-foreign" not in listed.out


def test_exactly_what_was_listed_goes(stack: PrunableStack, pruned: CliResult, before: dict[str, set[str]]) -> None:
    assert pruned.code == 0, pruned.all
    assert "Removed 1 release, 1 half-way release, 2 containers, 1 image" in pruned.out
    assert _names(stack, pruned, "goes") == GONE
    after = stack.state()
    taken = {kind: before[kind] - after[kind] for kind in before}
    assert taken == {
        **GONE,
        "images": {stack.web("v1")},
        "volumes": set(),
        "networks": set(),
    }
    assert not {kind: after[kind] - before[kind] for kind in after if after[kind] - before[kind]}


def test_the_release_goes_on_running_with_its_data_and_its_files(stack: PrunableStack, pruned: CliResult) -> None:
    on = stack.droplet
    assert on.inside("web", "cat", "/content", "/rows/row") == "v3mine\n"
    assert on.inside("side", "cat", "/conf/app.ini") == "[app]\n"
    assert on.sh(f"readlink {on.home}/current").startswith("releases/v3.")


def test_the_list_was_shown_as_an_artifact_before(stack: PrunableStack, pruned: CliResult) -> None:
    from prefect.artifacts import Artifact  # noqa: PLC0415 — after the environment is set

    found = Artifact.get(f"prune-{stack.block}")
    assert found is not None
    rows = json.loads(str(found.data))
    assert {row["name"] for row in rows if row["kind"] == "container" and row[""] == "goes"} == GONE["containers"]


def test_a_second_prune_has_nothing_to_do(stack: PrunableStack, pruned: CliResult) -> None:
    state = stack.state()
    again = stack.prune(*KEEP_ONE)
    assert f"Removed nothing of prunable from {stack.block}." in again.out
    assert stack.state() == state


def test_while_a_kept_release_cannot_be_read_no_image_goes(stack: PrunableStack, pruned: CliResult) -> None:
    on = stack.droplet
    on.sh("docker rm prunable-by-hand")
    document = f"{on.home}/current/release.json"
    on.sh(f"cp -p {document} {on.home}/saved; echo '{{' >{document}")
    state = stack.state()
    said = stack.prune(*KEEP_ONE)
    on.sh(f"mv {on.home}/saved {document}")
    assert "no image is removed: of release v3." in said.out
    assert stack.state() == state
    assert "1 image" in stack.prune(*KEEP_ONE).out
    assert stack.state()["images"] == state["images"] - {stack.web("v2")}


@pytest.mark.parametrize(
    ("words", "setting", "name"),
    [(("--keep", "0"), "5", "BadRetention"), (("--keep", "-3"), "5", "BadRetention"), ((), "0", "BadSettings")],
)
def test_fewer_than_one_release_is_refused(
    stack: PrunableStack, pruned: CliResult, words: tuple[str, ...], setting: str, name: str
) -> None:
    state = stack.state()
    answer = stack.prune(*words, SLIPWAY_RETENTION=setting)
    assert_one_error(answer, REFUSED, name, ("retention",))
    assert stack.state() == state


def test_while_another_changes_the_droplet_a_prune_is_refused_and_a_dry_run_is_not(
    stack: PrunableStack, pruned: CliResult
) -> None:
    with _held(stack):
        assert_one_error(stack.prune(*KEEP_ONE), REFUSED, "DropletBusy", ("is being changed by", "Nothing was changed"))
        assert stack.prune("--dry-run", *KEEP_ONE).code == 0


def test_without_an_engine_it_fails_with_the_engines_words(stack: PrunableStack, pruned: CliResult) -> None:
    from blocks import Droplet  # noqa: PLC0415 — after the environment is set

    nowhere = "export DOCKER_HOST=unix:///run/nowhere.sock"
    with forced_command(stack.droplet, "/var/lib/slipway-prunable/enter", nowhere) as private:
        block = Droplet.model_validate({**plain(Droplet.load(stack.block)), "private_key": private})
        with saved(**{"prunable-without-engine": block}):
            answer = stack.prune("--droplet", "prunable-without-engine", *KEEP_ONE)
    assert_one_error(answer, FAILED, "RemoteFailed", ("Cannot connect to the Docker daemon",))


def test_the_build_host_is_tidied_when_that_is_asked_for(
    stack: PrunableStack, pruned: CliResult, tmp_path: Path
) -> None:
    mine, other = (_dangling(project, tmp_path) for project in (STACK, "prunable-neighbour"))
    try:
        listed = stack.prune("--dry-run", "--build-host", *KEEP_ONE)
        assert "Build host: 1 dangling images of prunable" in listed.out
        assert "builder cache beyond 10GB" in listed.out
        assert {mine, other} <= _images()
        assert stack.prune("--build-host", *KEEP_ONE).code == 0
        assert {mine, other} & _images() == {other}
    finally:
        subprocess.run(["docker", "rmi", "-f", mine, other], check=False, capture_output=True)


def _dangling(project: str, directory: Path) -> str:
    """An image on the build host that no tag names."""
    (directory / "Dockerfile").write_text(f'FROM scratch\nLABEL {LABEL}.project="{project}" of="{directory}"\n')
    return _said("docker", "build", "-q", str(directory)).strip()


def _images() -> set[str]:
    return set(_said("docker", "images", "-aq", "--no-trunc").split())


def _said(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


@contextmanager
def _held(stack: PrunableStack) -> Iterator[None]:
    """The droplet's lock is somebody else's."""
    on = stack.droplet
    on.sh(f"flock {on.directory}/lock sleep 600 >/dev/null 2>&1 & echo $! >/run/prunable-lock; sleep 0.2")
    try:
        yield
    finally:
        on.sh("pkill -P $(cat /run/prunable-lock); rm /run/prunable-lock")


def _names(stack: PrunableStack, said: CliResult, what: str) -> dict[str, set[str]]:
    """Kind → names of what goes, or stays, as the table says; releases and images by their tag."""
    plural = {"container": "containers", "image": "images", "release": "releases", "incoming": "incoming"}
    found: dict[str, set[str]] = {}
    for line in said.out.splitlines():
        words = line.split()
        if words[:1] == [what] and words[1] in plural:
            found.setdefault(plural[words[1]], set()).add(words[2])
    images = {stack.web(tag).partition("sha256:")[2][:16]: tag for tag in ("v1", "v2", "v3")}
    found["images"] = {images[name.rpartition("-")[2]] for name in found.get("images", ())}
    found["releases"] = {name.rpartition(".")[0] for name in found.get("releases", ())}
    return found
