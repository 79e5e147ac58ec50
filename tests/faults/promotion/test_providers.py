"""Prometheus and Langfuse are down, slow, or talk nonsense: that is no data, and no data is never a pass."""

import pytest

from tests.faults.harness.blue_green import BlueGreenScenario, refused
from tests.faults.harness.doubles.fake_providers import (
    DRIPS,
    EMPTY,
    ERROR,
    HTML,
    NAN,
    SEVERAL,
    SLOW,
    WELL,
    WORDS,
    WRONG,
)

pytestmark = pytest.mark.faults
DOWN = "down"
STAYS = "inconclusive: not promoted, told why; traffic stays"


def _asking(pair: BlueGreenScenario, who: str, how: str) -> dict[str, str]:
    """The settings by which that provider is asked."""
    pair.providers.mode = WELL if how == DOWN else how
    pair.providers.asked.clear()
    return {f"SLIPWAY_{who.upper()}": pair.block(f"{who}-down" if how == DOWN else who)}


@pytest.mark.parametrize("how", [DOWN, SLOW, DRIPS, HTML, ERROR, WRONG, WORDS])
def test_both(how: str, pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says(f"Prometheus and Langfuse: {how}", "read metrics, read traces", STAYS)
    said = pair.say(pair.promote(), {**_asking(pair, "prometheus", how), **_asking(pair, "langfuse", how)})
    assert bool(pair.providers.asked) == (how != DOWN)
    gates = ("error rate: ", "latency: ", "traces: ", "trace errors: ")
    refused(said, "NotPromoted", "inconclusive", *gates, code=1)
    pair.untouched(start)


@pytest.mark.parametrize("how", [NAN, SEVERAL, EMPTY])
def test_prometheus(how: str, pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says(f"Prometheus: {how}", "read metrics", STAYS)
    said = pair.say(pair.promote(), _asking(pair, "prometheus", how))
    assert pair.providers.asked
    refused(said, "NotPromoted", "inconclusive", "error rate: no data", "latency: no data", code=1)
    pair.untouched(start)


def test_langfuse_holds_no_trace(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("Langfuse: no trace of the probe comes", "read traces", "a failed gate; traffic stays")
    refused(pair.say(pair.promote(), _asking(pair, "langfuse", EMPTY)), "NotPromoted", "0 of 1 agents", code=1)
    assert pair.providers.asked
    pair.untouched(start)


def test_both_are_well(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("none: Prometheus and Langfuse are well", "gates", "promoted")
    pair.done(pair.promote(), {**_asking(pair, "prometheus", WELL), **_asking(pair, "langfuse", WELL)})
    assert pair.providers.asked
    pair.ended_well(start, start.idle)


@pytest.mark.parametrize("how", [DOWN, SLOW])
def test_prometheus_is_no_reason_to_go_back(how: str, pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says(f"Prometheus: {how}", "watch", "a provider that says nothing is no unhealthy release: traffic stays")
    more = {**_asking(pair, "prometheus", how), "SLIPWAY_GATE_OBSERVE_ONLY": '["error rate", "latency"]'}
    pair.done(pair.promote("--watch", "1"), more)
    more.pop("SLIPWAY_GATE_OBSERVE_ONLY")
    pair.done(pair.words("watch", "--watch", "1"), more)
    assert bool(pair.providers.asked) == (how != DOWN)
    pair.ended_well(start, start.idle)
