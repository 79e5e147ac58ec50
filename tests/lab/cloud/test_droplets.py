"""A second droplet: snapshot, provision, deploy, decommission, and a rehearsal of it all; nothing is left."""

import json

import pytest

from tests.stacks.rehearsal import COPY, DROPLET, REHEARSAL, open_rehearsal_stack
from tests.support.lab.cli import slipway, slipway_ok
from tests.support.lab.digitalocean_account import Cloud
from tests.support.lab.lab import run

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def tent(tmp_path_factory):
    with open_rehearsal_stack(tmp_path_factory.mktemp("tents")) as tent:
        yield tent


@pytest.fixture(autouse=True)
def swept(tent):
    yield
    tent.cloud.calm()
    tent.sweep()


def test_a_droplet_is_copied_trusted_deployed_to_and_removed(lab, tent):
    lab.inside(DROPLET, "sh", "-c", "echo kept >/opt/tent-was-here")
    slipway_ok("snapshot", DROPLET, *tent.here, **tent.settings)
    lab.inside(DROPLET, "rm", "/opt/tent-was-here")
    assert len(tent.left()) == 1
    said = slipway_ok("provision", COPY, "--like", DROPLET, "--approval", "never", **tent.settings)
    assert "Its pinned host key was made on it" in said.out
    assert "$24.00 a month" in said.out
    container = f"{lab.name}-do-{droplet_id(tent, COPY)}"
    assert lab.docker("exec", container, "cat", "/opt/tent-was-here").strip() == "kept"
    pinned = saved_key(COPY)
    assert (
        lab.docker("exec", container, "cat", "/var/lib/droplet/ssh_host_ed25519_key.pub").split()[1]
        == pinned.split()[1]
    )
    assert pinned not in json.dumps(tent.cloud.ask("GET", "/_lab/exchanges")["exchanges"])  # it never left the droplet
    slipway_ok("deploy", *tent.here, "--tag", "v1", "--droplet", COPY, **tent.settings)
    slipway_ok("validate", *tent.here, "--droplet", COPY, **tent.settings)
    assert run("curl", "-s", f"http://{tent.address(COPY)}:8009/") == "ok"
    slipway_ok("decommission", COPY, "--approval", "never", **tent.settings)
    slipway_ok("decommission", COPY, "--approval", "never", **tent.settings)
    assert len(tent.left()) == 1  # the snapshot
    assert lab.docker("ps", "-aq", "--filter", f"name={container}") == ""
    assert lab.docker("volume", "ls", "-q", "--filter", f"name={container}") == ""
    with pytest.raises(ValueError, match="Unable to find block"):
        saved_key(COPY)


def test_the_newest_snapshots_stay_and_only_ours_go(lab, tent):
    with tent.cloud.client() as client:
        client.droplets.act(client.droplets.named(DROPLET).id, "snapshot", 120, name="somebody-elses")
    for _ in range(2):
        slipway_ok("snapshot", DROPLET, *tent.here, "--keep", "1", **tent.settings)
    assert len(tent.left()) == 1
    with tent.cloud.client() as client:
        [theirs] = [s for s in client.snapshots.all() if s.name == "somebody-elses"]
        client.snapshots.remove(theirs.id)


def test_a_snapshot_that_is_only_named_changes_nothing(tent):
    said = slipway_ok("snapshot", DROPLET, *tent.here, "--dry-run", **tent.settings)
    assert "Would take slipway-tent-v1-" in said.out
    assert "at most 80 GB: " in said.out
    assert "$4.80 a month" in said.out
    assert tent.left() == []


def test_a_rehearsal_reports_and_leaves_nothing(lab, tent):
    said = slipway_ok("rehearse", *tent.here, **tent.settings)
    assert "No rehearsal of tent: it runs for 0.0 days, wanted are 7" in said.out
    said = slipway_ok("rehearse", *tent.here, "--even-so", "--approval", "never", **tent.settings)
    assert "no deviation" in said.out
    assert "20 requests, 0 failed" in said.out
    assert tent.left() == []
    assert tent.points_at() == tent.address()
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
def test_what_makes_no_sense_is_refused_and_creates_nothing(tent, words, why):
    said = slipway(*words, **tent.settings)
    assert (said.code in (1, 2), why in said.err) == (True, True), said.all
    assert tent.left() == []


def test_a_firewall_by_id_is_refused_before_anything_is_created(tent):
    id = droplet_id(tent, DROPLET)
    tent.cloud.settings(firewalls=[{"id": "f-1", "name": "wall", "droplet_ids": [id]}])
    said = slipway(
        "provision", COPY, "--like", DROPLET, "--image", "debian-13-x64", "--approval", "never", **tent.settings
    )
    assert (said.code, "firewall wall guards data by its id" in said.err) == (2, True)
    assert tent.left() == []


def test_the_droplet_limit_and_a_locked_account_create_nothing(tent):
    words = ["provision", COPY, "--like", DROPLET, "--image", "debian-13-x64", "--approval", "never"]
    tent.cloud.settings(droplet_limit=3)
    assert "the account may have 3 droplets, and has 3" in slipway(*words, **tent.settings).err
    tent.cloud.settings(droplet_limit=25, status="locked")
    said = slipway(*words, **tent.settings)
    assert (said.code, "Your account is locked" in said.err) == (2, True)
    tent.cloud.settings(status="active")
    assert tent.left() == []


def droplet_id(tent, name: str) -> int:
    with tent.cloud.client() as client:
        return int(client.droplets.named(name).id)


def saved_key(name: str) -> str:
    from blocks import Droplet  # noqa: PLC0415 — after the environment is set

    return str(Droplet.load(name).host_key)


def test_the_account_is_checked_in_words(tent):
    assert isinstance(tent.cloud, Cloud)
    assert "lab@slipway.dev, team lab: active" in slipway_ok("account", "check", **tent.settings).out
    assert "$/month" in slipway_ok("account", "droplets", **tent.settings).out
