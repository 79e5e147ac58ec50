"""Which records count, and as what: once a release, whatever clocks, droplets and versions of before say."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.core.insight.stability.condition import StabilityLimits
from flows.core.insight.stability.markdown import stability_markdown
from flows.core.insight.stability.number import StabilityThresholds
from flows.core.insight.stability.report import StabilitySources, stability_report
from flows.core.insight.stability.requests import ColourSamples, RequestHistory
from flows.core.records.history import History
from flows.core.records.measurements import Measurements, Pull, Turn
from flows.core.records.record import Record, RecordOutcome, Run

pytestmark = pytest.mark.unit
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
GOOD, FAILED, BACK = RecordOutcome.GOOD, RecordOutcome.FAILED, RecordOutcome.ROLLED_BACK
OPEN, SUPERSEDED = RecordOutcome.CANDIDATE, RecordOutcome.SUPERSEDED
COLOURS = {"green": "green", "green-2": "green", "blue": "blue"}


def ago(hours: float) -> str:
    return (NOW - timedelta(hours=hours)).isoformat()


def record(number: int = 1, hours: float = 10, outcome: RecordOutcome = GOOD, *, run: str | None = None, **more):
    given = {
        "number": number, "stack": "shop", "tag": f"v{number}", "name": f"v{number}.0", "began": ago(hours),
        "deployed": ago(hours - 0.1), "outcome": outcome, "run": Run(id=f"run-{number}" if run is None else run),
        "measured": Measurements(),
    }  # fmt: skip
    return Record(**{**given, **more})


def history(*records: Record, **more) -> History:
    return History(records, frozenset(), more.pop("current", ""), **more)


def report(histories, *, switched=False, requests=None, **more):
    sources = StabilitySources(histories, COLOURS.get, requests or RequestHistory({}), switched=switched, **more)
    return stability_report(
        "shop", "", sources, days=7, now=NOW, thresholds=StabilityThresholds(), limits=StabilityLimits(7, 0.9, 0, 0)
    )


def number(found, key):
    return next(one for one in found.numbers if one.key == key)


def test_no_records_at_all_are_no_data_and_never_a_pass():
    for histories in ({}, {"green": history()}):
        found = report(histories)
        assert {one.verdict for one in found.numbers} == {"not enough data"}
        assert {one.value for one in found.numbers} == {None}
        assert not found.condition.stable
        assert number(found, "rollout_success").why == "no releases; 5 would be enough"


def test_one_record_says_how_many_more_would_be_enough():
    said = number(report({"green": history(record())}), "rollout_success")
    assert (said.value, said.verdict, said.why) == (1.0, "not enough data", "1 release; 5 would be enough")


def test_a_release_on_both_droplets_of_a_colour_counts_once_and_the_worse_outcome_holds():
    found = report({"green": history(record()), "green-2": history(record(outcome=FAILED)), "blue": history(record())})
    said = number(found, "rollout_success")
    assert (said.count, said.value) == (2, 0.5)
    assert [row.droplets for row in found.releases if row.place == "green"] == [("green", "green-2")]


def test_a_run_tells_releases_apart_whatever_their_tag_and_time():
    slow = {"green": history(record(hours=10)), "green-2": history(record(hours=8))}
    assert number(report(slow), "rollout_success").count == 1
    twice = history(record(1, 10, tag="v1", run="a"), record(2, 9.9, tag="v1", run="b"))
    assert number(report({"green": twice}), "rollout_success").count == 2


@pytest.mark.parametrize(("apart", "count"), [(0.4, 1), (0.6, 2)])
def test_without_a_run_the_tag_and_the_time_tell_releases_apart(apart, count):
    found = report({"green": history(record(run="")), "green-2": history(record(hours=10 - apart, run=""))})
    assert number(found, "rollout_success").count == count


def test_what_nobody_judged_counts_neither_way_and_is_told():
    found = report({"green": history(record(1), record(2, 9, OPEN), record(3, 8, SUPERSEDED), record(4, 7, BACK))})
    said = number(found, "rollout_success")
    assert (said.count, said.value) == (2, 0.5)
    assert any("1 of 4 rollouts are not judged yet" in remark for remark in found.remarks)
    assert any("1 of 4 rollouts were superseded" in remark for remark in found.remarks)


@pytest.mark.parametrize(
    "began", ["1969-12-31T23:00:00+00:00", "2031-01-01T00:00:00+00:00", "", "yesterday", "0001-01-01T00:00:00+14:00",
              "1970-01-01T00:00:05+00:00", "9999-12-31T23:59:59-14:00"]
)  # fmt: skip
def test_a_record_of_a_clock_that_was_wrong_is_told_and_left_out(began):
    found = report({"green": history(record(1), record(2, began=began))})
    assert number(found, "rollout_success").count == 1
    assert "green: the time of record 2 cannot be" in " ".join(found.remarks)
    assert not found.condition.stable


def test_damaged_records_and_a_release_put_there_by_hand_are_told():
    found = report({"green": history(record(), damaged=("000002.json",), current="by-hand.1")})
    assert "green: record 000002.json is damaged, and left out" in found.remarks
    assert "green: by-hand.1 runs, and no record names it: it was put there by hand" in found.remarks


def test_records_of_before_are_unknown_and_never_zero():
    old = [record(n, 20 - n, measured=None, traced=("web",)) for n in range(1, 8)]
    found = report({"green": history(*old), "blue": history()}, switched=True)
    for key in ("pull_latency", "trace_coverage", "lead_time", "deployment_frequency", "change_failure_rate"):
        assert number(found, key).verdict == "not enough data", key
    assert {number(found, key).value for key in ("pull_latency", "trace_coverage", "lead_time")} == {None}
    assert "7 of 7 rollouts are of a version that measured nothing" in " ".join(found.remarks)
    assert number(found, "rollout_success").value == 1.0


def test_with_colours_a_release_serves_by_a_turn_alone_and_one_that_failed_before_it_changed_nothing():
    turn = Measurements(turn=Turn(colour="green", previous="blue", at=ago(5)), committed=ago(8))
    records = {"green": history(record(1, 6, measured=turn), record(2, 4, FAILED)), "blue": history(record(1, 9))}
    found = report(records, switched=True)
    assert (number(found, "deployment_frequency").count, number(found, "change_failure_rate").count) == (1, 1)
    assert number(found, "change_failure_rate").value == 0.0
    assert number(found, "lead_time").value == 3 * 3600
    alone = report({"solo": history(record(1, 6), record(2, 4, FAILED, deployed=None))})
    assert (number(alone, "deployment_frequency").count, number(alone, "change_failure_rate").value) == (1, 0.5)


def test_the_same_commit_again_has_no_second_lead_time_and_a_commit_from_the_future_none():
    made = Measurements(committed=ago(8))
    found = report({"solo": history(
        record(1, 6, commit="a", measured=made), record(2, 4, commit="a", measured=made),
        record(3, 3, commit="b", measured=Measurements(committed=ago(-50))),
    )})  # fmt: skip
    assert (number(found, "lead_time").count, number(found, "lead_time").value) == (1, pytest.approx(2.1 * 3600))


def test_the_time_to_restore_is_that_of_ways_that_restored_something():
    took = [Measurements(restored_seconds=seconds) for seconds in (8.0, 30.0, 2.0, 500.0)]
    found = report({"solo": history(
        record(1, 9, kind="rollback", measured=took[0]), record(2, 8, FAILED, kind="rollback", measured=took[1]),
        record(3, 7, FAILED, measured=took[2]), record(4, 6, measured=took[3]),
    )})  # fmt: skip
    said = number(found, "time_to_restore")
    assert (said.count, said.value, said.behind) == (2, 5.0, ("solo-1", "solo-3"))


def test_failures_that_nobody_measured_the_end_of_are_said_and_nothing_failed_is_said_too():
    failed = number(report({"solo": history(record(1, 9, FAILED))}), "time_to_restore")
    assert (failed.value, failed.why) == (
        None, "1 failed changes, 0 rollbacks, none of them measured; 1 would be enough"
    )  # fmt: skip
    assert number(report({"solo": history(record())}), "time_to_restore").why == "nothing had to be restored"


def test_a_pull_that_brought_nothing_says_nothing_of_the_registry():
    pulls = tuple(
        Pull(image="r.example.com/a/web@sha256:1", registry="r.example.com", seconds=s, bytes=b)
        for s, b in ((9.0, 100), (0.1, 0), (None, 5), (4.0, None))
    )
    said = number(report({"solo": history(record(measured=Measurements(pulls=pulls)))}), "pull_latency")
    assert (said.count, said.value, said.why) == (2, 9.0, "2 pulls; 20 would be enough")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://p:4200/runs/flow-run/1", True),
        ("javascript:alert", False),
        ("http://p/ ) [x](y", False),
        ("", False),
    ],
)
def test_a_run_is_led_to_by_an_address_of_the_web_alone(url, shown):
    found = report({"solo": history(record(run="", outcome=FAILED).model_copy(update={"run": Run(url=url)}))})
    assert found.releases[0].url == (url if shown else "")
    assert ("[run](" in stability_markdown(found)) is shown


def test_only_what_stands_on_the_active_colour_is_the_condition():
    old, young = history(record(1, 24 * 9)), history(record(1, 2))
    assert report({"green": old, "blue": young}, switched=True, active=("green",)).condition.stable
    assert not report({"green": old, "blue": young}, switched=True, active=("blue",)).condition.stable


moments = st.one_of(st.just(""), st.text(max_size=12), st.datetimes().map(str), st.floats(-300, 300).map(ago))
numbers = st.one_of(st.none(), st.floats(), st.floats(0, 1e6))
measured = st.one_of(
    st.none(),
    st.builds(
        Measurements, committed=moments, restored_seconds=numbers,
        agents=st.dictionaries(st.text(max_size=4), st.none() | st.booleans()),
        turn=st.none() | st.builds(Turn, colour=st.sampled_from(["green", "blue", "x"]), at=moments),
        pulls=st.none() | st.lists(st.builds(Pull, image=st.text(max_size=9), seconds=numbers), max_size=3).map(tuple),
    ),
)  # fmt: skip
strange = st.builds(
    record, st.integers(1, 9), st.floats(-300, 300), st.sampled_from(list(RecordOutcome)), began=moments,
    deployed=st.none() | moments, kind=st.sampled_from(["deploy", "rollback"]), reason=st.text(max_size=9),
    measured=measured, run=st.sampled_from(["", "a", "b"]),
)  # fmt: skip
samples = st.lists(st.tuples(st.floats(1.7e9, 1.8e9), st.floats()), max_size=5)
answers = st.dictionaries(st.sampled_from(["green", "blue"]), st.builds(ColourSamples, samples, samples, samples))


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.dictionaries(st.sampled_from([*COLOURS, "solo"]), st.lists(strange, max_size=6)), answers, st.booleans())
def test_whatever_records_and_prometheus_say_there_is_a_report_of_numbers_that_can_be(found, said, switched):
    histories = {name: history(*records) for name, records in found.items()}
    made = report(histories, switched=switched, requests=RequestHistory(said))
    for one in made.numbers:
        assert one.value is None or 0 <= one.value < float("inf")
        assert one.unit != "share" or one.value is None or one.value <= 1
        assert one.interval is None or 0 <= one.interval[0] <= one.interval[1] <= 1
        assert (one.count > 0) or one.verdict == "not enough data" or one.key == "deployment_frequency"
    assert stability_markdown(made).startswith("# ")
