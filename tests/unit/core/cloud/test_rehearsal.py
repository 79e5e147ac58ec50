"""A rehearsal's report."""

import pytest

from flows.core.cloud.costs import Cost
from flows.core.cloud.rehearsal import Load, Rehearsed, StepTiming, summarise_load
from flows.core.insight.stability.condition import Stability

pytestmark = pytest.mark.unit


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
        "| snapshot | 5.0 | a\\|b |",
        "10 requests, 1 failed",
        "- Deviation: 1 of 10",
        "- Left at DigitalOcean: droplet x",
    ):
        assert words in text
    assert report.as_json()["load"]["failed"] == 1
    skipped = Rehearsed("shop", "v1", stability, skipped="it is young")
    assert skipped.sentence == "No rehearsal of shop: it is young."
    assert "Nothing of it is left" in skipped.markdown()
