"""A droplet's user needs the group `docker` and a directory of its own, and nothing of root's."""

from collections.abc import Iterator

import pytest

from tests.stacks.single_service import STACK, SingleServiceStack, open_single_service_stack
from tests.support.lab.lab import Lab
from tests.support.lab.saved_blocks import saved

pytestmark = pytest.mark.lab
USER, BLOCK, DIRECTORY = "deployer", "single-service-unprivileged", "/srv/unprivileged"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SingleServiceStack]:
    with open_single_service_stack(tmp_path_factory.mktemp("without-root")) as stack:
        for tag in ("v1", "v2"):
            stack.publish(tag)
        yield stack


@pytest.fixture
def unprivileged(lab: Lab, stack: SingleServiceStack) -> Iterator[str]:
    """The name of a Droplet block whose user is made as docs/LEAST_PRIVILEGE.md says."""
    from blocks import Droplet  # noqa: PLC0415 — after the environment is set

    owned = ("-o", USER, "-g", USER)
    lab.inside("blue", "useradd", "--create-home", "--password", "*", "--groups", "docker", USER)
    try:
        for place in (f"/home/{USER}/.ssh", DIRECTORY):
            lab.inside("blue", "install", "-d", "-m", "700", *owned, place)
        keys = f"/home/{USER}/.ssh/authorized_keys"
        lab.inside("blue", "install", "-m", "600", *owned, "/etc/slipway/authorized_keys", keys)
        block = Droplet.load("blue").model_copy(update={"user": USER, "directory": DIRECTORY})
        with saved(**{BLOCK: block}):
            yield BLOCK
    finally:
        stack.clear()
        lab.inside("blue", "rm", "-rf", DIRECTORY)
        lab.inside("blue", "userdel", "--remove", "--force", USER, check=False)


def test_releases_come_and_go_without_root(lab: Lab, stack: SingleServiceStack, unprivileged: str) -> None:
    here = ("--stack", STACK, "--droplet", unprivileged)
    for tag in ("v1", "v2"):
        stack.slipway_ok("deploy", *here, "--tag", tag)
        stack.slipway_ok("validate", *here)
    stack.slipway_ok("rollback", *here, "--to", "v1")
    assert "v1" in stack.slipway_ok("status", *here).out
    stack.slipway_ok("prune", *here)
    assert lab.inside("blue", "find", DIRECTORY, "!", "-user", USER) == ""
    assert lab.inside("blue", "stat", "-c", "%a %U", f"{DIRECTORY}/{STACK}") == f"700 {USER}"
