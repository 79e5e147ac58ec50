"""A colour is unhealthy before, while, or after traffic moves to it, or the data home is."""

import threading

import pytest

from flows.core.steps import Step
from tests.faults.harness.blue_green import FIRST_READING, LYING, BlueGreenScenario, refused
from tests.faults.harness.invariants import newest

pytestmark = pytest.mark.faults
AFTER_PROBE = {"when": "after", "step": Step.PROBE_SWITCH.value}
QUICK = {"SLIPWAY_PROBE_TIMEOUT": "1"}


@pytest.mark.parametrize("how", ["says so", "hangs", "is killed"])
def test_the_candidate_becomes_unhealthy_in_the_watch(how: str, pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says(f"the candidate {how} after the switch", "watch", "switched back by itself; told on record")
    process = pair.start_process(pair.promote("--watch", "8"), QUICK, **FIRST_READING)
    process.held()
    assert pair.edge.files() == [start.idle]
    pair.make_unhealthy(start.idle, how)
    process.go()
    refused(process.wait(), "SwitchedBack", f"traffic is on {start.active}", "debug-agent", code=1)
    pair.ended_well(start, start.active)
    record = newest(pair.sides[start.idle])
    assert record["outcome"] == "failed"
    assert "did not hold" in str(record)
    pair.heal(start.idle)
    pair.goes_on(start)


def test_the_candidate_is_unhealthy_already(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("the candidate is unhealthy", "gates", "refused; the switch is not touched")
    pair.make_unhealthy(start.idle)
    refused(pair.say(pair.promote()), "NotPromoted", "health: ", f"Traffic stays on {start.active}", code=1)
    pair.untouched(start)


def test_a_unhealthy_release_is_put_there(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says(
        "the release to be put there is unhealthy", "validate", "the idle colour goes back; clients never noticed"
    )
    with _clients(pair) as seen:
        refused(pair.say(pair.promote("--tag", LYING)), "ValidationFailed", code=1)
    assert set(seen) == {(200, start.active)}
    assert len(seen) > 20
    pair.untouched(start)
    assert pair.sides[start.idle].version() == start.tags[start.idle]


def test_both_are_unhealthy_after_the_switch(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says(
        "the new colour becomes unhealthy, and the old one is",
        "watch",
        "never back to a unhealthy one: told, traffic stays",
    )
    process = pair.start_process(pair.promote("--watch", "8"), **AFTER_PROBE)
    process.held()
    pair.make_unhealthy(start.active)
    pair.make_unhealthy(start.idle)
    mark = pair.edge.mark()
    process.go()
    words = ("is not well either", f"switch-back --to {start.active} --force")
    refused(process.wait(), "BothColoursUnhealthy", *words, code=1)
    assert (pair.edge.files(), pair.edge.mark()) == ([start.idle], mark)
    pair.tidy(start)
    pair.heal(start.idle)
    pair.ended_well(start, start.idle)


def test_both_are_unhealthy_without_a_promotion(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("both colours are unhealthy", "watch, promote, switch-back", "told each time; traffic stays")
    pair.make_unhealthy(start.active)
    pair.make_unhealthy(start.idle)
    refused(pair.say(pair.words("watch", "--watch", "0")), "BothColoursUnhealthy", "is not well either", code=1)
    refused(pair.say(pair.promote()), "NotPromoted", "health: ", code=1)
    refused(pair.say(pair.words("switch-back")), "BothColoursUnhealthy", "--force", code=1)
    pair.heal(start.active)
    pair.untouched(start)


def test_the_active_colour_is_unhealthy(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("the active colour is unhealthy", "watch", "traffic goes to the other one, which is well")
    pair.make_unhealthy(start.active)
    refused(pair.say(pair.words("watch", "--watch", "0")), "SwitchedBack", f"traffic is on {start.idle}", code=1)
    pair.ended_well(start, start.idle)


def test_away_from_a_unhealthy_colour(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("the active colour is unhealthy", "promote", "promoted: a well release does not wait for a unhealthy one")
    pair.make_unhealthy(start.active)
    pair.done(pair.promote())
    pair.ended_well(start, start.idle)


def test_switch_back_to_a_unhealthy_colour(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("switch-back to a unhealthy colour", "switch-back", "refused; --force goes")
    pair.make_unhealthy(start.idle)
    refused(pair.say(pair.words("switch-back")), "BothColoursUnhealthy", "Traffic stays", "--force", code=1)
    pair.untouched(start)
    said = pair.say(pair.words("switch-back", "--force"), {"SLIPWAY_SWITCH_TIMEOUT": "1"})
    assert pair.edge.files() == [start.idle], said.all
    pair.heal(start.idle)
    pair.ended_well(start, start.idle)


def test_the_data_home_is_away(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("the data home cannot be reached", "gates", "refused; traffic stays")
    away = {"SLIPWAY_HOME": pair.block("away")}
    refused(pair.say(pair.promote(), away), "NotPromoted", "data home: ", pair.block("away"), code=1)
    pair.untouched(start)


def test_the_data_home_is_unhealthy(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("the store at home has stopped", "gates", "refused; traffic stays; afterwards it works")
    store = pair.home.containers()["store"]["Id"]
    pair.home.sh(f"docker stop -t 1 {store} >/dev/null")
    refused(pair.say(pair.promote()), "NotPromoted", "data home: ", "store", code=1)
    pair.home.sh(f"docker start {store} >/dev/null")
    pair.untouched(start)
    pair.done(pair.promote())
    pair.ended_well(start, start.idle)


def test_the_data_home_becomes_unhealthy_in_the_watch(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("the store at home stops", "watch", "both colours need it, so traffic does not move")
    process = pair.start_process(pair.promote("--watch", "2"), **AFTER_PROBE)
    process.held()
    store = pair.home.containers()["store"]["Id"]
    pair.home.sh(f"docker stop -t 1 {store} >/dev/null")
    process.go()
    said = process.wait()
    pair.home.sh(f"docker start {store} >/dev/null")
    assert said.code == 0, said.all
    pair.ended_well(start, start.idle)


class _clients:  # noqa: N801 — reads as what it is: with clients …
    """Somebody asks through the edge all the time; gives the list of status and colour, one for each answer."""

    def __init__(self, pair: BlueGreenScenario) -> None:
        self._edge, self._stop, self.seen = pair.edge, threading.Event(), []  # type: ignore[var-annotated]
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> list[tuple[int, str | None]]:
        self._thread.start()
        return self.seen

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ask(self) -> None:
        with self._edge.client() as http:
            while not self._stop.wait(0.1):
                answer = http.get("/health")
                self.seen.append((answer.status_code, answer.headers.get("x-slipway-colour")))
