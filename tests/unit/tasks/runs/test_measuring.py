"""A run measures itself: one measuring a droplet, whatever flow or step adds to it."""

import pytest

from flows.core.records.measurements import BuildTimes, Measurements
from flows.core.records.record import Record
from flows.tasks.runs.declaration import task
from flows.tasks.runs.measuring import (
    measured_build,
    measured_run,
    measuring,
    measuring_anew,
    now_measured,
    timed_step,
    with_measured,
)

pytestmark = pytest.mark.unit


def record(number: int, measured: Measurements | None = None) -> Record:
    return Record(number=number, stack="shop", tag="v1", name="v1-0", measured=measured)


@task(name="pull images")
def work(fails: bool = False) -> str:
    if fails:
        raise ValueError("broken")
    return "done"


def test_a_task_is_measured_under_its_name_also_when_it_fails():
    with measuring("green") as mine:
        assert work.fn() == "done"
        with pytest.raises(ValueError, match="broken"):
            work.fn(fails=True)
    assert list(mine.so_far().steps) == ["pull images"]


def test_a_task_outside_of_a_run_is_measured_by_nobody():
    assert work.fn() == "done"
    assert now_measured() is None


def test_the_seconds_of_a_step_that_runs_twice_are_added(monkeypatch):
    clock = iter([0.0, 1.0, 10.0, 12.5])
    monkeypatch.setattr("flows.tasks.runs.measuring.time.monotonic", lambda: next(clock))
    with measuring("green") as mine:
        for _ in range(2):
            with timed_step("wait until ready"):
                pass
    assert mine.so_far().steps == {"wait until ready": 3.5}


def test_what_one_run_measures_of_a_droplet_belongs_together_and_droplets_apart():
    with measured_run():
        with measuring("green") as first:
            first.note(lock_seconds=1.0)
        with measured_run(), measuring("green") as second, measuring("blue") as other:
            assert second is first
            assert other is not first
        assert now_measured() is None


def test_two_runs_share_nothing():
    with measured_run(), measuring("green") as first:
        pass
    with measured_run(), measuring("green") as second:
        pass
    assert first is not second


def test_a_rollback_measures_anew_and_knows_what_the_failed_release_took():
    with measured_run():
        with measuring("green") as deploy:
            deploy.number = 7
            with measuring_anew("green") as (back, failed):
                assert failed is deploy
                assert now_measured() is back
                back.note(restored_seconds=2.0)
            assert deploy.so_far().restored_seconds is None
        with measuring("green") as later:
            assert later is back


def test_what_a_run_wrote_into_its_record_is_replaced_and_what_others_wrote_is_kept():
    with measuring("green") as mine:
        mine.number = 3
        mine.note(lock_seconds=1.0)
        own = mine.kept_in(record(3, Measurements(lock_seconds=9.0, steps={"pull images": 5.0})))
        others = mine.kept_in(record(4, Measurements(agents={"a": True}, steps={"pull images": 5.0})))
    assert (own.measured.lock_seconds, own.measured.steps) == (1.0, {})
    assert (others.measured.lock_seconds, others.measured.agents) == (1.0, {"a": True})


def test_only_the_record_it_is_about_gets_what_was_measured():
    with measuring("green") as mine:
        mine.number = 3
        assert with_measured(record(3)).measured == Measurements(steps={})
        assert with_measured(record(2)).measured is None
    assert with_measured(record(3)).measured is None


def test_a_deploy_knows_what_the_build_of_its_own_run_took():
    assert measured_build() is None
    with measured_run():
        with measuring() as build:
            build.build = BuildTimes(build_seconds=1.0)
        assert measured_build() == BuildTimes(build_seconds=1.0)
    assert measured_build() is None
