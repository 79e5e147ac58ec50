"""A colour is sick before, while, or after traffic moves to it, or the data home is."""

import threading
import time

import httpx
import pytest

from flows.core.steps import Step
from tests.faults.harness.blue_green import LYING, BlueGreenScenario, refused
from tests.faults.harness.invariants import eventually, newest

pytestmark = pytest.mark.faults
AFTER_PROBE = {"when": "after", "step": Step.PROBE_SWITCH.value}
QUICK = {"SLIPWAY_PROBE_TIMEOUT": "1"}


@pytest.mark.parametrize("how", ["says so", "hangs", "is killed"])
def test_the_candidate_turns_sick_a_second_after_the_switch(how: str, pair: BlueGreenScenario) -> None:
    scene = pair.settle()
    pair.says(f"the candidate {how} one second after the switch", "watch", "switched back by itself; told on record")
    victim = pair.victim(pair.promote("--watch", "8"), QUICK)
    eventually(pair.edge.files, [scene.idle], 30)
    time.sleep(1)
    pair.sicken(scene.idle, how)
    refused(victim.wait(), "SwitchedBack", f"traffic is on {scene.active}", "debug-agent", code=1)
    pair.ended_well(scene, scene.active)
    record = newest(pair.sides[scene.idle])
    assert record["outcome"] == "failed"
    assert "did not hold" in str(record)
    pair.heal(scene.idle)
    pair.goes_on(scene)


def test_the_candidate_is_sick_already(pair: BlueGreenScenario) -> None:
    scene = pair.settle()
    pair.says("the candidate is sick", "gates", "refused; the switch is not touched")
    pair.sicken(scene.idle)
    refused(pair.say(pair.promote()), "NotPromoted", "health: ", f"Traffic stays on {scene.active}", code=1)
    pair.untouched(scene)


def test_a_sick_release_is_put_there(pair: BlueGreenScenario) -> None:
    scene = pair.settle()
    pair.says("the release to be put there is sick", "validate", "the idle colour goes back; clients never noticed")
    with _clients(pair) as seen:
        refused(pair.say(pair.promote("--tag", LYING)), "ValidationFailed", code=1)
    assert set(seen) == {(200, scene.active)}
    assert len(seen) > 20
    pair.untouched(scene)
    assert pair.sides[scene.idle].version() == scene.tags[scene.idle]


def test_both_are_sick_after_the_switch(pair: BlueGreenScenario) -> None:
    scene = pair.settle()
    pair.says("the new colour turns sick, and the old one is", "watch", "never back to a sick one: told, traffic stays")
    victim = pair.victim(pair.promote("--watch", "8"), **AFTER_PROBE)
    victim.held()
    pair.sicken(scene.active)
    pair.sicken(scene.idle)
    mark = pair.edge.mark()
    victim.go()
    refused(victim.wait(), "BothSick", "is not well either", f"switch-back --to {scene.active} --even-if-sick", code=1)
    assert (pair.edge.files(), pair.edge.mark()) == ([scene.idle], mark)
    pair.tidy(scene)
    pair.heal(scene.idle)
    pair.ended_well(scene, scene.idle)


def test_both_are_sick_without_a_promotion(pair: BlueGreenScenario) -> None:
    scene = pair.settle()
    pair.says("both colours are sick", "watch, promote, switch-back", "told each time; traffic stays")
    pair.sicken(scene.active)
    pair.sicken(scene.idle)
    refused(pair.say(pair.words("watch", "--watch", "0")), "BothSick", "is not well either", code=1)
    refused(pair.say(pair.promote()), "NotPromoted", "health: ", code=1)
    refused(pair.say(pair.words("switch-back")), "BothSick", "--even-if-sick", code=1)
    pair.heal(scene.active)
    pair.untouched(scene)


def test_the_active_colour_is_sick(pair: BlueGreenScenario) -> None:
    scene = pair.settle()
    pair.says("the active colour is sick", "watch", "traffic goes to the other one, which is well")
    pair.sicken(scene.active)
    refused(pair.say(pair.words("watch", "--watch", "0")), "SwitchedBack", f"traffic is on {scene.idle}", code=1)
    pair.ended_well(scene, scene.idle)


def test_away_from_a_sick_colour(pair: BlueGreenScenario) -> None:
    scene = pair.settle()
    pair.says("the active colour is sick", "promote", "promoted: a well release does not wait for a sick one")
    pair.sicken(scene.active)
    pair.done(pair.promote())
    pair.ended_well(scene, scene.idle)


def test_switch_back_to_a_sick_colour(pair: BlueGreenScenario) -> None:
    scene = pair.settle()
    pair.says("switch-back to a sick colour", "switch-back", "refused; --even-if-sick goes")
    pair.sicken(scene.idle)
    refused(pair.say(pair.words("switch-back")), "BothSick", "Traffic stays", "--even-if-sick", code=1)
    pair.untouched(scene)
    said = pair.say(pair.words("switch-back", "--even-if-sick"), {"SLIPWAY_SWITCH_TIMEOUT": "1"})
    assert pair.edge.files() == [scene.idle], said.all
    pair.heal(scene.idle)
    pair.ended_well(scene, scene.idle)


def test_the_data_home_is_away(pair: BlueGreenScenario) -> None:
    scene = pair.settle()
    pair.says("the data home cannot be reached", "gates", "refused; traffic stays")
    away = {"SLIPWAY_HOME": pair.block("away")}
    refused(pair.say(pair.promote(), away), "NotPromoted", "data home: ", pair.block("away"), code=1)
    pair.untouched(scene)


def test_the_data_home_is_sick(pair: BlueGreenScenario) -> None:
    scene = pair.settle()
    pair.says("the keeper at home has stopped", "gates", "refused; traffic stays; afterwards it works")
    keeper = pair.home.containers()["keeper"]["Id"]
    pair.home.sh(f"docker stop -t 1 {keeper} >/dev/null")
    refused(pair.say(pair.promote()), "NotPromoted", "data home: ", "keeper", code=1)
    pair.home.sh(f"docker start {keeper} >/dev/null")
    pair.untouched(scene)
    pair.done(pair.promote())
    pair.ended_well(scene, scene.idle)


def test_the_data_home_turns_sick_in_the_watch(pair: BlueGreenScenario) -> None:
    scene = pair.settle()
    pair.says("the keeper at home stops", "watch", "both colours need it, so traffic does not move")
    victim = pair.victim(pair.promote("--watch", "2"), **AFTER_PROBE)
    victim.held()
    keeper = pair.home.containers()["keeper"]["Id"]
    pair.home.sh(f"docker stop -t 1 {keeper} >/dev/null")
    victim.go()
    said = victim.wait()
    pair.home.sh(f"docker start {keeper} >/dev/null")
    assert said.code == 0, said.all
    pair.ended_well(scene, scene.idle)


class _clients:  # noqa: N801 — reads as what it is: with clients …
    """Somebody asks through the edge all the time; gives the list of status and colour, one for each answer."""

    def __init__(self, pair: BlueGreenScenario) -> None:
        self._url, self._stop, self.seen = pair.edge.url, threading.Event(), []  # type: ignore[var-annotated]
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> list[tuple[int, str | None]]:
        self._thread.start()
        return self.seen

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ask(self) -> None:
        with httpx.Client(trust_env=False, timeout=5) as http:
            while not self._stop.wait(0.1):
                answer = http.get(f"{self._url}/health")
                self.seen.append((answer.status_code, answer.headers.get("x-slipway-colour")))
