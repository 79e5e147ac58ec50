"""What a new droplet is given: user data, and firewalls that guard it."""

import pytest
import yaml

from flows.core.cloud.provisioning import cloud_config, missing_firewalls
from flows.core.cloud.snapshots import SNAPSHOT, DropletSnapshot, snapshots_beyond, snapshots_of

pytestmark = pytest.mark.unit


def snap(number: int, droplet: int = 1, tags: tuple[str, ...] = (SNAPSHOT,), name: str = "") -> DropletSnapshot:
    return DropletSnapshot(str(number), name or f"s{number}", f"2026-06-{number:02}T00:00:00Z", str(droplet), 1.0, tags)


def test_ours_are_known_by_tag_or_by_name_and_only_those_of_the_droplet_are_old():
    named = snap(2, tags=(), name="slipway-shop-v1-20260602000000")
    every = [snap(1), named, snap(3), snap(4, droplet=2), snap(5, tags=(), name="by-hand")]
    assert [t.id for t in snapshots_of(every, 1)] == ["3", "2", "1"]
    assert [t.id for t in snapshots_beyond(every, 1, 1)] == ["2", "1"]


def test_user_data_gives_a_droplet_this_host_key_and_no_other():
    text = cloud_config("PRIVATE\nKEY\n", "ssh-ed25519 AAAA")
    assert text.startswith("#cloud-config\n")
    found = yaml.safe_load(text)
    assert found["ssh_keys"] == {"ed25519_private": "PRIVATE\nKEY\n", "ed25519_public": "ssh-ed25519 AAAA"}
    assert (found["ssh_deletekeys"], found["ssh_genkeytypes"]) == (True, [])


def test_a_firewall_that_is_not_attached_by_one_of_the_tags_does_not_guard():
    assert missing_firewalls({"by-id": (), "by-tag": ("web",), "other": ("db",)}, ("web", "slipway")) == [
        "by-id",
        "other",
    ]
