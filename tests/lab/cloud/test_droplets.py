"""A second droplet: snapshot, provision, deploy, decommission, and a rehearsal of it all; nothing is left."""

import json

import pytest

from tests.stacks.rehearsal import COPY, DROPLET, REHEARSAL, open_rehearsal_stack
from tests.support.lab.cli import slipway, slipway_ok
from tests.support.lab.digitalocean_account import Cloud
from tests.support.lab.lab import run

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with open_rehearsal_stack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture(autouse=True)
def swept(stack):
    yield
    stack.cloud.calm()
    stack.sweep()


def test_a_droplet_is_copied_trusted_deployed_to_and_removed(lab, stack):
    lab.inside(DROPLET, "sh", "-c", "echo kept >/opt/stack-was-here")
    slipway_ok("snapshot", DROPLET, *stack.here, **stack.settings)
    lab.inside(DROPLET, "rm", "/opt/stack-was-here")
    assert len(stack.left()) == 1
    said = slipway_ok("provision", COPY, "--like", DROPLET, "--approval", "never", **stack.settings)
    assert "Its pinned host key was made on it" in said.out
    assert "$24.00 a month" in said.out
    container = f"{lab.name}-do-{droplet_id(stack, COPY)}"
    assert lab.docker("exec", container, "cat", "/opt/stack-was-here").strip() == "kept"
    pinned = saved_key(COPY)
    assert (
        lab.docker("exec", container, "cat", "/var/lib/droplet/ssh_host_ed25519_key.pub").split()[1]
        == pinned.split()[1]
    )
    assert pinned not in json.dumps(stack.cloud.ask("GET", "/_lab/exchanges")["exchanges"])  # it never left the droplet
    slipway_ok("deploy", *stack.here, "--tag", "v1", "--droplet", COPY, **stack.settings)
    slipway_ok("validate", *stack.here, "--droplet", COPY, **stack.settings)
    assert run("curl", "-s", f"http://{stack.address(COPY)}:8009/") == "ok"
    slipway_ok("decommission", COPY, "--approval", "never", **stack.settings)
    slipway_ok("decommission", COPY, "--approval", "never", **stack.settings)
    assert len(stack.left()) == 1  # the snapshot
    assert lab.docker("ps", "-aq", "--filter", f"name={container}") == ""
    assert lab.docker("volume", "ls", "-q", "--filter", f"name={container}") == ""
    with pytest.raises(ValueError, match="Unable to find block"):
        saved_key(COPY)


def test_the_newest_snapshots_stay_and_only_ours_go(lab, stack):
    with stack.cloud.client() as client:
        client.droplets.act(client.droplets.named(DROPLET).id, "snapshot", 120, name="somebody-elses")
    for _ in range(2):
        slipway_ok("snapshot", DROPLET, *stack.here, "--keep", "1", **stack.settings)
    assert len(stack.left()) == 1
    with stack.cloud.client() as client:
        [theirs] = [s for s in client.snapshots.all() if s.name == "somebody-elses"]
        client.snapshots.remove(theirs.id, theirs.name)


def test_a_snapshot_that_is_only_named_changes_nothing(stack):
    said = slipway_ok("snapshot", DROPLET, *stack.here, "--dry-run", **stack.settings)
    assert "Would take slipway-cloud-app-v1-" in said.out
    assert "at most 80 GB: " in said.out
    assert "$4.80 a month" in said.out
    assert stack.left() == []


def test_a_rehearsal_reports_and_leaves_nothing(lab, stack):
    said = slipway_ok("rehearse", *stack.here, **stack.settings)
    assert "No rehearsal of cloud-app: it runs for 0.0 days, wanted are 7" in said.out
    said = slipway_ok("rehearse", *stack.here, "--force", "--approval", "never", **stack.settings)
    assert "no deviation" in said.out
    assert "20 requests, 0 failed" in said.out
    assert stack.left() == []
    assert stack.points_at() == stack.address()
    with pytest.raises(ValueError, match="Unable to find block"):
        saved_key(REHEARSAL)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["decommission", DROPLET, "--approval", "never"], "has no tag slipway-provisioned"),
        (["snapshot", "edge"], "no droplet named edge"),
        (["provision", COPY, "--like", DROPLET, "--approval", "never"], "has no snapshot of ours"),
        (["provision", COPY, "--like", DROPLET, "--image", "nothing-1", "--approval", "never"], "an invalid image"),
    ],
)
def test_what_makes_no_sense_is_refused_and_creates_nothing(stack, words, why):
    said = slipway(*words, **stack.settings)
    assert (said.code in (1, 2), why in said.err) == (True, True), said.all
    assert stack.left() == []


def test_a_firewall_by_id_is_refused_before_anything_is_created(stack):
    id = droplet_id(stack, DROPLET)
    stack.cloud.settings(firewalls=[{"id": "f-1", "name": "wall", "droplet_ids": [id]}])
    said = slipway(
        "provision", COPY, "--like", DROPLET, "--image", "debian-13-x64", "--approval", "never", **stack.settings
    )
    assert (said.code, "firewall wall guards data by its id" in said.err) == (2, True)
    assert stack.left() == []


def test_the_droplet_limit_and_a_locked_account_create_nothing(stack):
    words = ["provision", COPY, "--like", DROPLET, "--image", "debian-13-x64", "--approval", "never"]
    stack.cloud.settings(droplet_limit=3)
    assert "the account may have 3 droplets, and has 3" in slipway(*words, **stack.settings).err
    stack.cloud.settings(droplet_limit=25, status="locked")
    said = slipway(*words, **stack.settings)
    assert (said.code, "Your account is locked" in said.err) == (2, True)
    stack.cloud.settings(status="active")
    assert stack.left() == []


def droplet_id(stack, name: str) -> int:
    with stack.cloud.client() as client:
        return int(client.droplets.named(name).id)


def saved_key(name: str) -> str:
    from blocks import Droplet  # noqa: PLC0415 — after the environment is set

    return str(Droplet.load(name).host_key)


def test_the_account_is_checked_in_words(stack):
    assert isinstance(stack.cloud, Cloud)
    assert "lab@slipway.dev, team lab: active" in slipway_ok("account", "check", **stack.settings).out
    assert "$/month" in slipway_ok("account", "droplets", **stack.settings).out
