"""Names of our snapshots, and which of them are old."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.cloud.snapshots import SNAPSHOT, DropletSnapshot, snapshot_name, snapshots_beyond

pytestmark = pytest.mark.unit


def test_a_snapshot_is_named_by_stack_release_and_time():
    assert snapshot_name("My Stack", "v1.2_3", "2026-06-30T12:01:02+00:00") == "slipway-my-stack-v1.2_3-20260630120102"


def snap(number: int, droplet: int = 1, tags: tuple[str, ...] = (SNAPSHOT,), name: str = "") -> DropletSnapshot:
    return DropletSnapshot(str(number), name or f"s{number}", f"2026-06-{number:02}T00:00:00Z", str(droplet), 1.0, tags)


@given(st.lists(st.integers(1, 28), max_size=8, unique=True), st.integers(1, 5))
def test_the_newest_snapshots_always_stay(days, keep):
    every = [snap(day) for day in days]
    gone = snapshots_beyond(every, 1, keep)
    assert len(every) - len(gone) == min(len(every), keep)
    assert all(old.at < left.at for old in gone for left in every if left not in gone)
