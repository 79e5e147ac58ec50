"""The pure parts of what is done at DigitalOcean: costs, names, user data, a rehearsal's report."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from flows.core.cloud.costs import Cost, cost_lines, droplet_cost, snapshot_cost
from flows.core.cloud.provisioning import cloud_config, missing_firewalls
from flows.core.cloud.rehearsal import Load, Rehearsed, StepTiming, summarise_load
from flows.core.cloud.snapshots import SNAPSHOT, DropletSnapshot, snapshot_name, snapshots_beyond, snapshots_of
from flows.core.records.stability import Stability

pytestmark = pytest.mark.unit


def test_costs_are_told_a_line_each_and_summed():
    costs = [droplet_cost("blue", "s-2vcpu-4gb", 0.0357, 24), snapshot_cost(80)]
    assert cost_lines(costs).splitlines() == [
        "- droplet blue (s-2vcpu-4gb): $0.0357 an hour, $24.00 a month",
        "- snapshot of at most 80 GB: $0.0071 an hour, $4.80 a month",
        "Together $0.0428 an hour, $28.80 a month.",
    ]
    assert cost_lines(costs[:1]).count("\n") == 0
    assert str(Cost("a droplet of an unknown price", 0, 0)) == "a droplet of an unknown price: $0.00 a month"


def test_a_snapshot_is_named_by_stack_release_and_time():
    assert snapshot_name("My Stack", "v1.2_3", "2026-06-30T12:01:02+00:00") == "slipway-my-stack-v1.2_3-20260630120102"


def snap(number: int, droplet: int = 1, tags: tuple[str, ...] = (SNAPSHOT,), name: str = "") -> DropletSnapshot:
    return DropletSnapshot(str(number), name or f"s{number}", f"2026-06-{number:02}T00:00:00Z", str(droplet), 1.0, tags)


def test_ours_are_known_by_tag_or_by_name_and_only_those_of_the_droplet_are_old():
    named = snap(2, tags=(), name="slipway-shop-v1-20260602000000")
    every = [snap(1), named, snap(3), snap(4, droplet=2), snap(5, tags=(), name="by-hand")]
    assert [t.id for t in snapshots_of(every, 1)] == ["3", "2", "1"]
    assert [t.id for t in snapshots_beyond(every, 1, 1)] == ["2", "1"]


@given(st.lists(st.integers(1, 28), max_size=8, unique=True), st.integers(1, 5))
def test_the_newest_snapshots_always_stay(days, keep):
    every = [snap(day) for day in days]
    gone = snapshots_beyond(every, 1, keep)
    assert len(every) - len(gone) == min(len(every), keep)
    assert all(old.at < left.at for old in gone for left in every if left not in gone)


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


def test_a_load_is_summed_up():
    assert summarise_load([(True, 0.1)] * 95 + [(False, 2.0)] * 5) == Load(100, 5, 2.0)
    assert summarise_load([]) == Load(0, 0, 0.0)


def test_a_report_tells_times_cost_and_every_deviation():
    stability = Stability("v1", 9.0, 0, 0, 0, 0, ())
    report = Rehearsed(
        "shop", "v1", stability, took=(StepTiming("snapshot", 5, "a|b"),), load=Load(10, 1, 0.2),
        costs=(Cost("droplet", 0.04, 24),), hours=1.2, deviations=("1 of 10 requests failed",), left=("droplet x",),
    )  # fmt: skip
    text = report.markdown()
    assert report.cost == pytest.approx(0.08)  # hours begun are billed whole
    assert report.sentence == "Rehearsed shop v1 in 5 s for $0.08: 1 deviations."
    for words in (
        "| snapshot | 5.0 | a/b |",
        "10 requests, 1 failed",
        "- Deviation: 1 of 10",
        "- Left at DigitalOcean: droplet x",
    ):
        assert words in text
    assert report.as_json()["load"]["failed"] == 1
    skipped = Rehearsed("shop", "v1", stability, skipped="it is young")
    assert skipped.sentence == "No rehearsal of shop: it is young."
    assert "Nothing of it is left" in skipped.markdown()
