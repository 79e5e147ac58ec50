"""Counters of release records: what each counts, and that none ever falls."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flows.core.insight.metrics.counting import count_records
from flows.core.records.history import History
from flows.core.records.measurements import Measurements
from tests.support.builders import BACK, FAILED, NOW, OPEN, past, record
from tests.support.records.history import MadeHistory

pytestmark = pytest.mark.unit


def made() -> MadeHistory:
    return MadeHistory(NOW)


def test_releases_are_counted_by_their_first_verdict_and_what_nobody_judged_is_not():
    history = made()
    history.deploy("v1")
    history.deploy("v2", good=False, reason="api: health: 503")
    history.roll_back("v1")
    history.deploy("v3", good=False)
    counted = count_records(history.history)
    assert counted.releases == {"good": 1, "failed": 1, "superseded": 0}
    assert counted.rollbacks == {"good": 1, "failed": 0, "superseded": 0}
    assert counted.undone == 0
    history.deploy("v4")
    assert count_records(history.history).releases == {"good": 2, "failed": 1, "superseded": 1}


def test_what_was_good_stays_counted_as_good_when_it_fails_or_is_rolled_back_and_is_undone_besides():
    history = made()
    for tag in ("v1", "v2"):
        history.deploy(tag)
        before = count_records(history.history)
        history.fails_afterwards()
        counted = count_records(history.history)
        assert (counted.releases, counted.durations, counted.lead) == (before.releases, before.durations, before.lead)
        assert counted.undone == before.undone + 1
    history.roll_back("v1")
    assert count_records(history.history).undone == 2
    assert count_records(history.history).releases == {"good": 2, "failed": 0, "superseded": 0}


def test_records_of_before_say_by_their_reason_what_was_rolled_back():
    old = past(record(1, "v1", BACK), record(2, "v2", BACK, reason="api: health: 503"), record(3, "v3"))
    counted = count_records(old)
    assert (counted.releases, counted.undone) == ({"good": 2, "failed": 1, "superseded": 0}, 1)
    assert counted.stages == counted.pulls == {}
    assert (counted.lock_wait.count, counted.lead.count, counted.restored.count) == (0, 0, 0)


def test_numbers_that_nobody_can_have_measured_are_not_counted():
    odd = Measurements(
        committed="yesterday", lock_seconds=float("nan"), restored_seconds=-1.0,
        steps={"pull images": float("inf"), "start services": -5.0, "watch": 3.0},
    )  # fmt: skip
    wrong = {"began": "2026-05-04T12:00:00+00:00", "ended": "2026-05-04T11:00:00+00:00", "measured": odd}
    counted = count_records(past(record(1, "v1", **wrong)))
    assert list(counted.stages) == ["watch"]
    assert (counted.lock_wait.count, counted.lead.count, counted.durations["good"].count) == (0, 0, 0)
    assert counted.releases["good"] == 1


def test_a_droplet_cannot_make_more_series_than_there_is_room_for():
    steps = {f"step {number}": 1.0 for number in range(1000)}
    counted = count_records(past(record(1, "v1", measured=Measurements(steps=steps))))
    assert len(counted.stages) == 65
    assert counted.stages["other"].count == 1000 - 64


def test_an_open_record_is_none_of_any_counter():
    assert sum(count_records(past(record(1, "v1", OPEN))).releases.values()) == 0
    assert count_records(History()).releases == {"good": 0, "failed": 0, "superseded": 0}
    assert count_records(past(record(1, "v1", FAILED))).releases["failed"] == 1


DOES = st.sampled_from([
    "good", "bad", "unjudged", "killed", "killed at once", "judged", "judged bad", "back", "back fails", "promote",
    "fails afterwards",
])  # fmt: skip


@given(st.lists(DOES, max_size=12))
@example(["unjudged", "killed at once", "judged"])
@example(["unjudged", "killed at once", "back"])
def test_no_counter_ever_falls_whatever_runs_do(done):
    history = made()
    history.deploy("v0")
    for number, what in enumerate(done, 1):
        play(history, what, f"v{number}")
    before: dict[str, float] = {}
    for moment in history.moments:
        now = numbers(moment.history)
        assert {name: (value, now.get(name)) for name, value in before.items() if now.get(name, -1) < value} == {}
        before = now


def play(history: MadeHistory, what: str, tag: str) -> None:
    match what:
        case "good":
            history.deploy(tag)
        case "bad":
            history.deploy(tag, good=False, reason="it failed")
        case "unjudged":
            history.deploy(tag, good=False)
        case "killed":
            history.deploy(tag, deployed=False)
        case "killed at once":
            history.killed_at_once(tag)
        case "judged" | "judged bad":
            history.judged_after_all(good=what == "judged")
        case "back" | "back fails":
            if good := history.history.last_known_good():
                history.roll_back(good.tag, good=what == "back")
        case "promote" | "fails afterwards":
            newest = history.history.newest
            if newest and newest == history.history.last_known_good():
                history.promote() if what == "promote" else history.fails_afterwards()


def numbers(history: History) -> dict[str, float]:
    counted = count_records(history)
    found = {f"releases {name}": float(count) for name, count in counted.releases.items()}
    found |= {f"rollbacks {name}": float(count) for name, count in counted.rollbacks.items()}
    found["undone"] = float(counted.undone)
    seconds = {**counted.durations, **counted.stages, **{name: pulls.took for name, pulls in counted.pulls.items()}}
    seconds |= {"lock": counted.lock_wait, "restored": counted.restored, "lead": counted.lead}
    for name, one in seconds.items():
        found |= {f"{name} count": float(one.count), f"{name} sum": one.sum}
    for name, pulls in counted.pulls.items():
        found[f"pull {name} bytes"] = pulls.bytes or 0.0
        found |= {f"pull {name} {number}": float(count) for number, count in enumerate(pulls.at_most)}
    return found
