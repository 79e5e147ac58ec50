"""Metrics as Prometheus reads them: names, labels and values, what is unknown left out, what is hostile in bounds."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics import exposition
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from flows.core.insight.drift import DriftFinding
from flows.core.insight.metrics.droplet import DropletLook
from flows.core.insight.metrics.families import (
    COUNTERS,
    DRIFT_KINDS,
    GAUGES,
    HISTOGRAMS,
    SUMMARIES,
    DropletFacts,
    MetricFacts,
    metrics,
)
from flows.core.records.history import History
from flows.core.records.measurements import GateNumbers, Measurements, Pull
from tests.support.builders import HOST, NOW, past, record, release
from tests.support.records.history import MadeHistory

pytestmark = pytest.mark.unit
HOSTILE = 'a"b\\c\nd{e}\x1b[31m\u202e' + "x" * 500
BEFORE = {"looked": 1000.0}


def collected(facts: MetricFacts) -> dict[tuple, float]:
    """(name, labels that are not empty) → value, as both parsers of prometheus_client read them."""
    registry = CollectorRegistry(auto_describe=False)

    class Made:
        def collect(self):
            return metrics(facts, {"version": "1.2.3"})

    registry.register(Made())
    text = generate_latest(registry).decode()
    found = read(read_text(text))
    assert read(read_openmetrics(exposition.generate_latest(registry).decode())) == found
    return found


def read(families) -> dict[tuple, float]:
    samples = [sample for family in families for sample in family.samples]
    found = {(s.name, *sorted(v for v in s.labels.values() if v)): s.value for s in samples}
    assert len(found) == len(samples), "two series are the same"
    return found


def of(history: History | None = None, **more) -> MetricFacts:
    look = DropletLook(history, release(tag="v7", commit="c" * 40))
    return MetricFacts("shop", "", True, {"green": DropletFacts("green", look, **{**BEFORE, **more})}, ("green",))


def test_a_history_is_told_with_counts_seconds_bytes_and_what_is_current():
    made = MadeHistory(NOW)
    made.deploy("v1", seconds=40, pull=4)
    made.promote(seconds=30)
    made.deploy("v2", good=False, reason="api: health: 503", pull=30)
    found = collected(of(made.history))
    at = ("green", "shop")
    assert found[named("slipway_releases_total", *at, "good")] == 1
    assert found[named("slipway_releases_total", *at, "failed")] == 1
    assert found[named("slipway_releases_total", *at, "superseded")] == 0
    assert found[named("slipway_pull_seconds_bucket", *at, HOST, "5.0")] == 2
    assert found[named("slipway_pull_seconds_bucket", *at, HOST, "+Inf")] == 4
    assert found[named("slipway_pull_seconds_sum", *at, HOST)] == 4 + 1 + 30 + 7.5
    assert found[named("slipway_pull_bytes_total", *at, HOST)] == 40_000_000
    assert found[named("slipway_stage_seconds_sum", *at, "pull images")] == 34
    assert found[named("slipway_stage_seconds_sum", *at, "build images")] == 100
    assert found[named("slipway_stage_seconds_count", *at, "turn the switch")] == 1
    assert found[named("slipway_lock_wait_seconds_count", *at)] == 2
    assert found[named("slipway_release_seconds_sum", *at, "good")] == 44
    assert found[named("slipway_lead_time_seconds_sum", *at)] == 20 * 60 + 4
    assert found[named("slipway_last_good_release_timestamp_seconds", *at)] == NOW.timestamp() + 44
    assert found[named("slipway_release_info", *at, "green", "v7", "c" * 40)] == 1
    assert found[named("slipway_traffic_ratio", "shop", "green")] == 1
    assert found[named("slipway_traffic_ratio", "shop", "blue")] == 0
    assert found[named("slipway_build_info", "1.2.3")] == 1


def test_gates_and_agents_are_those_of_the_current_release():
    made = MadeHistory(NOW)
    made.deploy("v1")
    made.promote()
    found = collected(of(made.history))
    verdict = {"pass": 1, "fail": 0, "inconclusive": 0}
    for word, value in verdict.items():
        assert found[named("slipway_gate_verdict", "green", "shop", "error rate", "false", word)] == value
    assert found[named("slipway_agent_traced", "green", "shop", "orchestrator")] == 1
    assert named("slipway_agent_traced", "green", "shop", "cicd") not in found
    made.deploy("v2", deployed=False)
    assert not [name for name, *_ in collected(of(made.history)) if name == "slipway_gate_verdict"]


def test_a_droplet_that_is_away_is_down_and_nothing_else_is_said_of_it():
    found = collected(MetricFacts("shop", "production", True, {"blue": DropletFacts("blue")}))
    assert {name: value for name, value in found.items() if "slipway_build_info" not in name} == {
        named("slipway_prefect_up", "shop", "production"): 1,
        named("slipway_droplet_up", "blue", "shop", "production"): 0,
    }


def test_what_is_not_known_is_left_out_and_is_never_zero():
    names = {name for name, *_ in collected(of(None))}
    assert names == {
        "slipway_build_info", "slipway_prefect_up", "slipway_droplet_up", "slipway_look_timestamp_seconds",
        "slipway_release_info", "slipway_lock_held", "slipway_traffic_ratio",
    }  # fmt: skip
    old = {name for name, *_ in collected(of(past(record(1, "v1"))))}
    assert not old & {"slipway_stage_seconds_sum", "slipway_pull_seconds_count", "slipway_pull_bytes_total",
                      "slipway_lock_wait_seconds_sum", "slipway_gate_verdict", "slipway_agent_traced",
                      "slipway_last_good_release_timestamp_seconds", "slipway_drift"}  # fmt: skip
    measured = Measurements(pulls=(Pull(image="web", registry=HOST),))
    some = {name for name, *_ in collected(of(past(record(1, "v1", measured=measured))))}
    assert not some & {"slipway_pull_bytes_total", "slipway_pull_seconds_count"}


@pytest.mark.parametrize("active", [None, (), ("green", "blue")])
def test_where_traffic_goes_is_left_out_where_nobody_knows(active):
    found = collected(MetricFacts("shop", active=active))
    assert not [name for name, *_ in found if name == "slipway_traffic_ratio"]


def test_a_canary_takes_its_share_from_the_active_colour():
    found = collected(MetricFacts("shop", active=("green",), shares={"blue": 5, "green": 95}))
    assert found[named("slipway_traffic_ratio", "shop", "green")] == pytest.approx(0.95)
    assert found[named("slipway_traffic_ratio", "shop", "blue")] == 0.05


def test_drift_is_counted_by_kind_once_it_was_looked_for():
    findings = (DriftFinding("files", "a"), DriftFinding("files", "b"), DriftFinding("containers", "c"))
    found = collected(of(None, drift=findings, drifted=9.0))
    counts = {kind: found[named("slipway_drift", "green", "shop", kind)] for kind in DRIFT_KINDS}
    assert counts == {"files": 2, "containers": 1, "configuration": 0}
    assert found[named("slipway_drift_timestamp_seconds", "green", "shop")] == 9
    unknown = (*findings, DriftFinding("unknown", "it does not answer"))
    assert not [name for name, *_ in collected(of(None, drift=unknown, drifted=9.0)) if "drift" in name]


def test_names_of_others_break_no_line_and_make_no_endless_series():
    gates = tuple(GateNumbers(gate=f"{number}{HOSTILE}", verdict="pass") for number in range(1000))
    measured = Measurements(
        steps={f"{number}{HOSTILE}": 1.0 for number in range(1000)}, gates=gates,
        pulls=tuple(Pull(image="web", registry=f"{number}{HOSTILE}", seconds=1, bytes=1) for number in range(1000)),
        agents={f"{number}{HOSTILE}": True for number in range(1000)},
    )  # fmt: skip
    history = past(record(1, HOSTILE, measured=measured))
    facts = MetricFacts(
        HOSTILE, HOSTILE, True, {HOSTILE: DropletFacts("green", DropletLook(history, release(tag="v1")))}
    )
    found = collected(facts)
    assert len(found) < 600
    assert max(len(value) for _, *values in found for value in values) <= 128
    assert not any("\x1b" in value or "\n" in value for _, *values in found for value in values)


def test_each_name_has_its_unit_and_its_kind_as_the_conventions_want():
    for name in GAUGES:
        assert not name.endswith(("_total", "_count", "_sum", "_bucket"))
    for name in (*SUMMARIES, *HISTOGRAMS):
        assert name.endswith("_seconds")
    known = [*GAUGES, *COUNTERS, *SUMMARIES, *HISTOGRAMS]
    assert len(known) == len(set(known))
    assert all(name.startswith("slipway_") for name in known)


def named(name: str, *labels: str) -> tuple:
    return (name, *sorted(labels))
