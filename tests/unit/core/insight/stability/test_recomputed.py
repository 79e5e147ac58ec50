"""Every number of a report, worked out once more from the raw JSON of the records, with arithmetic of its own."""

import json
import math
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest

from compose.lab.week import COLOURS, LIMITS, STACK, THRESHOLDS, made_history
from flows.core.insight.stability.report import StabilitySources, stability_report
from flows.core.records.storage import records_tar

pytestmark = pytest.mark.unit
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
BEGIN = NOW - timedelta(days=7)


@pytest.fixture(scope="module")
def made():
    return made_history(NOW, 7, 60, 3)


@pytest.fixture(scope="module")
def answers(made):
    return made.requests()


@pytest.fixture(scope="module")
def report(made, answers):
    sources = StabilitySources(made.histories(), COLOURS.of, answers, (made.active,), switched=True)
    return stability_report(STACK, "x", sources, days=7, now=NOW, thresholds=THRESHOLDS, limits=LIMITS)


@pytest.fixture(scope="module")
def raw(made):
    """Run → droplet → record, as plain JSON."""
    runs = defaultdict(dict)
    for droplet, records in made.records.items():
        assert len(records_tar(records)) > 0
        for record in records:
            told = json.loads(record.document())
            runs[told["kind"], told["run"]["id"]][droplet] = told
    return runs


def number(report, key):
    return next(one for one in report.numbers if one.key == key)


def deploys(raw):
    return [list(found.values()) for (kind, _), found in raw.items() if kind == "deploy"]


def turned(records):
    return next((r["measured"]["turn"]["at"] for r in records if r["measured"]["turn"]), None)


def test_the_pulls(report, raw):
    pulls = [pull for found in raw.values() for r in found.values() for pull in r["measured"].get("pulls") or ()]
    seconds = sorted(pull["seconds"] for pull in pulls if pull["bytes"])
    said = number(report, "pull_latency")
    assert said.count == len(seconds) > 100
    assert said.value == seconds[math.ceil(len(seconds) * 0.95) - 1]
    half = len(seconds) // 2
    assert said.median == (seconds[half] if len(seconds) % 2 else (seconds[half - 1] + seconds[half]) / 2)
    search = sorted(p["seconds"] for p in pulls if p["bytes"] and "/search@" in p["image"])
    part = next(one for one in said.parts if one.name == "team/search")
    assert (part.of, part.count, part.value) == ("image", len(search), search[math.ceil(len(search) * 0.95) - 1])


def test_the_rollouts(report, raw):
    outcomes = [{r["outcome"] for r in records} for records in deploys(raw)]
    good = sum(found == {"good"} for found in outcomes)
    said = number(report, "rollout_success")
    assert len(outcomes) == 60
    assert 0 < good < 60
    assert (said.count, said.value) == (60, good / 60)
    assert len(said.notable) == 60 - good
    by_day = defaultdict(list)
    for records in deploys(raw):
        by_day[min(r["began"] for r in records)[:10]].append(all(r["outcome"] == "good" for r in records))
    assert {day.day: (day.value, day.count) for day in said.course if day.count} == {
        day: (sum(well) / len(well), len(well)) for day, well in by_day.items()
    }


def test_the_traces_of_each_agent(report, raw):
    said, found = number(report, "trace_coverage"), defaultdict(list)
    for records in deploys(raw):
        for record in records:
            for agent, traced in record["measured"]["agents"].items():
                found[agent].append(traced)
    everything = [traced for each in found.values() for traced in each]
    assert (said.count, said.value) == (len(everything), sum(everything) / len(everything))
    told = {one.name: (one.value, one.count) for one in said.parts if one.of == "agent"}
    assert told == {agent: (pytest.approx(sum(each) / len(each)), len(each)) for agent, each in found.items()}


def test_the_four_of_dora(report, raw):
    served = [records for records in deploys(raw) if turned(records)]
    assert number(report, "deployment_frequency").value == pytest.approx(len(served) / 7)
    bad = sum(any(r["outcome"] != "good" for r in records) for records in served)
    changes = number(report, "change_failure_rate")
    assert bad > 0
    assert (changes.count, changes.value) == (len(served), pytest.approx(bad / len(served)))
    leads = sorted(
        (datetime.fromisoformat(turned(records)) - datetime.fromisoformat(records[0]["measured"]["committed"]))
        .total_seconds() for records in served
    )  # fmt: skip
    half = len(leads) // 2
    middle = leads[half] if len(leads) % 2 else (leads[half - 1] + leads[half]) / 2
    assert (number(report, "lead_time").value, number(report, "lead_time").count) == (
        pytest.approx(middle), len(leads)
    )  # fmt: skip
    restored = sorted(
        max(taken) for found in raw.values()
        if (taken := [r["measured"]["restored_seconds"] for r in found.values() if r["measured"]["restored_seconds"]])
    )  # fmt: skip
    said = number(report, "time_to_restore")
    assert said.count == len(restored) > 1
    assert restored[0] <= said.value <= restored[-1]
    assert sum(one <= said.value for one in restored) >= len(restored) / 2 <= sum(one >= said.value for one in restored)


def test_the_requests(report, answers):
    windows = []
    for colour in answers.colours.values():
        rates, times = dict(colour.error_rate), dict(colour.latency)
        windows += [(count, rates[at], times[at]) for at, count in colour.requests]
    total = sum(count for count, _, _ in windows)
    assert number(report, "error_rate").value == pytest.approx(sum(c * rate for c, rate, _ in windows) / total)
    middle = number(report, "latency").value
    faster, slower = (sum(c for c, _, s in windows if s < middle), sum(c for c, _, s in windows if s > middle))
    assert middle in {seconds for _, _, seconds in windows}
    assert faster < total / 2 >= slower


def test_what_clients_met_before_and_after_a_release(report, answers, raw):
    moments = sorted(datetime.fromisoformat(turned(records)).timestamp() for records in deploys(raw) if turned(records))
    said = next(one for one in report.changes if one.worse)
    at = datetime.fromisoformat(said.at).timestamp()
    (place,) = [number for number, moment in enumerate(moments) if abs(moment - at) < 1]
    later = min(moments[place] + 3600, moments[place + 1])
    after, rates = answers.colours[said.place].requests, dict(answers.colours[said.place].error_rate)
    mine = [(t, count) for t, count in after if t - answers.step >= moments[place] and t <= later]
    assert said.requests[1] == pytest.approx(sum(count for _, count in mine))
    assert said.error_rate[1] == pytest.approx(sum(c * rates[t] for t, c in mine) / said.requests[1])
    assert said.error_rate[1] > THRESHOLDS.error_rate > said.error_rate[0]
