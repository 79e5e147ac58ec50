"""A droplet that the version before left, with its records, releases and lock files, is used by this one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest

from tests.stacks.single_service import BLOCK, STACK, SingleServiceStack, open_single_service_stack
from tests.support.lab.lab import CA, CHECKOUT, STATE

pytestmark = pytest.mark.lab

# The last commit before the code was arranged by subject.
BEFORE = "9388594c03f1af00bea1e0cf2ba94e8d9505ddf7"


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A work tree of the version before."""
    place = tmp_path_factory.mktemp("before") / "checkout"
    git = ["git", "-C", str(CHECKOUT)]
    known = subprocess.run([*git, "cat-file", "-e", f"{BEFORE}^{{commit}}"], check=False, capture_output=True)
    if known.returncode:
        pytest.skip(f"this clone does not have the commit {BEFORE}: it is shallow")
    subprocess.run([*git, "worktree", "add", "--quiet", "--detach", str(place), BEFORE], check=True)
    yield place
    subprocess.run([*git, "worktree", "remove", "--force", str(place)], check=True)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SingleServiceStack]:
    with open_single_service_stack(tmp_path_factory.mktemp("upgrade")) as stack:
        yield stack


def run_before(before: Path, stack: SingleServiceStack, *words: str) -> None:
    """Run `slipway …` of the version before; it must succeed. Its registry's block knows no authority, so that of the
    lab stands among the public ones."""
    argv = [sys.executable, "-m", "flows.cli", *words]
    public = Path(os.environ.get("SSL_CERT_FILE") or certifi.where()).read_text()
    authorities = stack.place / "authorities.pem"
    authorities.write_text(f"{public}\n{CA.read_text()}")
    state = stack.place / "of-the-version-before"  # it knows no groups of settings
    state.mkdir(exist_ok=True)
    (state / "settings.toml").write_text(f'docker = "{STATE / "bin/docker"}"\n')
    own = {"PYTHONPATH": str(before), "SSL_CERT_FILE": str(authorities), "SLIPWAY_STATE": str(state)}
    env = {**os.environ, **stack.settings, **own}
    done = subprocess.run(argv, cwd=before, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_the_version_before_left_is_gone_on_with(before: Path, stack: SingleServiceStack) -> None:
    for tag in ("v1", "v2"):
        run_before(before, stack, "release", *stack.make(tag), "--droplet", BLOCK)
    run_before(before, stack, "build-push", *stack.make("v3"))
    run_before(before, stack, "deploy", "--tag", "v3", "--stack", STACK, "--droplet", BLOCK)
    assert stack.outcomes() == [("deploy", "v1", "good"), ("deploy", "v2", "good"), ("deploy", "v3", "candidate")]
    left = stack.records()
    stack.write_row("sold: one paper")
    kept = stack.kept()

    # Looking changes nothing, and knows what is there.
    assert '"release": "v3"' in stack.on_droplet("status", "--json").out
    assert "v2" in stack.on_droplet("history").out
    assert stack.records() == left

    # A release goes on from there; the candidate that nobody judged was superseded.
    assert stack.release("v4").code == 0
    assert stack.outcomes()[2:] == [("deploy", "v3", "superseded"), ("deploy", "v4", "good")]
    assert stack.records()[:2] == left[:2]
    stack.assert_runs("v4")

    # Its good releases are ways back.
    assert stack.on_droplet("rollback", "--to", "v1").code == 0
    stack.assert_runs("v1")
    assert stack.on_droplet("reconcile").code == 0
    stack.assert_runs("v1")

    # And they are pruned like our own.
    pruned = stack.on_droplet("prune", "--keep", "1")
    assert pruned.code == 0, pruned.all
    releases = stack.droplet.sh(f"ls {stack.droplet.home}/releases").split()
    assert {name.split(".")[0] for name in releases} == {"v1"}
    assert stack.kept() == kept
