"""Superseding: of the runs that wait for one place, exactly the newest stays."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.control.superseding import QueuedRun, superseded_runs, superseding_run

pytestmark = pytest.mark.unit
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
SHOP = {"stack": "shop", "droplet": "green"}


def a_run(number: int, status="queued", asked: datetime | None = None, again=False, **parameters) -> QueuedRun:
    time = NOON + timedelta(seconds=number)
    return QueuedRun(f"id-{number}", f"run-{number}", asked or time, time, status, {**SHOP, **parameters}, again)


MINE = a_run(1)
STAYS = {
    "the other is older": (MINE, a_run(0)),
    "another stack": (MINE, a_run(2, stack="other")),
    "another droplet": (MINE, a_run(2, droplet="blue")),
    "another destination": (MINE, a_run(2, destination="production")),
    "to traffic, and not to a droplet": (MINE, a_run(2, promote=True)),
    "it failed, or was cancelled": (MINE, a_run(2, "over")),
    "a schedule means it for tomorrow": (MINE, a_run(2, asked=NOON + timedelta(days=1))),
    "other services": (a_run(1, services=["api"]), a_run(2, services=["web"])),
    "some services only": (MINE, a_run(2, services=["web"])),
    "somebody runs this one again": (a_run(1, again=True), a_run(2)),
}
GIVES_WAY = {
    "it waits": (MINE, a_run(2)),
    "it runs": (MINE, a_run(2, "running")),
    "it is done": (MINE, a_run(2, "done")),
    "an explicit tag": (MINE, a_run(2, tag="v1", ref="main")),
    "of the same moment, made later": (MINE, a_run(2, asked=MINE.asked)),
    "all services": (a_run(1, services=["api"]), a_run(2)),
    "these services and others": (a_run(1, services=["api"]), a_run(2, services=["web", "api"])),
}


@pytest.mark.parametrize(("mine", "other"), STAYS.values(), ids=STAYS)
def test_a_run_stays_where(mine: QueuedRun, other: QueuedRun):
    assert superseding_run(mine, [mine, other], LATER) is None


@pytest.mark.parametrize(("mine", "other"), GIVES_WAY.values(), ids=GIVES_WAY)
def test_a_run_gives_way_where_the_newer_one(mine: QueuedRun, other: QueuedRun):
    assert superseding_run(mine, [mine, other], LATER) == other


def test_the_sentence_names_the_newer_run():
    assert a_run(2).sentence() == "superseded by run-2 (id-2), which was asked for later. Nothing of this run was done"


def test_only_what_waits_is_ended_and_each_is_told_the_newest():
    runs = [a_run(0, "running"), a_run(1), a_run(2), a_run(3)]
    assert superseded_runs(runs, LATER) == [(runs[1], runs[3]), (runs[2], runs[3])]


MOMENTS = st.integers(0, 5).map(lambda seconds: NOON + timedelta(seconds=seconds))
RUNS = st.lists(
    st.builds(
        QueuedRun, id=st.uuids().map(str), name=st.just("run"), asked=MOMENTS, created=MOMENTS,
        status=st.sampled_from(["queued", "running", "done", "over"]),
        parameters=st.sampled_from([SHOP, {"stack": "x"}]),
    ),
    max_size=20, unique_by=lambda run: run.id,
)  # fmt: skip


@given(RUNS, st.randoms(use_true_random=False))
def test_of_any_queue_exactly_the_newest_of_each_place_is_left(runs: list[QueuedRun], dice):
    dice.shuffle(runs)
    ended = {older.id for older, _ in superseded_runs(runs, LATER)}
    for stack in ("shop", "x"):
        here = [run for run in runs if run.parameters["stack"] == stack and run.status != "over"]
        newest = max(here, key=lambda run: run.order, default=None)
        left = {run.id for run in here if run.status == "queued"} - ended
        assert left == ({newest.id} if newest and newest.status == "queued" else set())


@given(RUNS)
def test_nothing_that_runs_or_ended_is_touched(runs: list[QueuedRun]):
    assert {older.status for older, _ in superseded_runs(runs, LATER)} <= {"queued"}
