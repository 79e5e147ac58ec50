"""A promotion that goes by shares is killed, ended, or meets a fault in a step: all clients are on one colour again."""

import signal

import pytest

from tests.faults.harness.blue_green import FIRST_READING, BlueGreenScenario, refused
from tests.faults.harness.slipway_process import SlipwayProcess

pytestmark = pytest.mark.faults
KILLED, ENDED = -signal.SIGKILL, 130
STEPS = {"SLIPWAY_CANARY": "[5, 50]", "SLIPWAY_CANARY_SECONDS": "1"}


def _in_its_first_step(pair: BlueGreenScenario, **fault: object) -> SlipwayProcess:
    return pair.start_process(pair.promote(), STEPS, **FIRST_READING, **fault)


def test_a_good_release_goes_by_its_steps(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("none", "a canary by two steps", "promoted; no share is left")
    said = pair.done(pair.promote(), STEPS)
    assert "Before that 5 %, 50 % of the clients reached it" in said.out
    pair.ended_well(start, start.idle)


@pytest.mark.parametrize("verb", ["watch", "reconcile", "switch-back", "promote"])
def test_killed_in_a_step(verb: str, pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("promotion killed (SIGKILL)", "in a step of its canary", f"`slipway {verb}` takes the share back")
    said = _in_its_first_step(pair, act="SIGKILL").wait()
    assert said.code == KILLED, said.all
    assert pair.edge.files() == sorted([start.active, f"canary-{start.idle}-05"])
    assert "canary: 5 % of the clients" in pair.done(pair.words("status")).out
    words = {"reconcile": ["--droplet", pair.block(start.active)], "watch": ["--watch", "0"]}.get(verb, [])
    pair.done(pair.words(verb, *words))
    pair.ended_well(start, start.idle if verb == "promote" else start.active)


def test_terminated_in_a_step(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("promotion ended (SIGTERM)", "in a step of its canary", "it takes its share back")
    said = _in_its_first_step(pair, act="SIGTERM").wait()
    assert said.code == ENDED, said.all
    pair.untouched(start)


def test_the_new_colour_gets_unhealthy_in_a_step(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("the candidate gets unhealthy", "in a step of its canary", "the share is taken back, and it is told")
    process = _in_its_first_step(pair)
    process.held()
    assert pair.edge.files() == sorted([start.active, f"canary-{start.idle}-05"])
    pair.make_unhealthy(start.idle)
    process.go()
    refused(process.wait(), "NotPromoted", "did not hold as a canary", "was taken back", "slipway debug-agent", code=1)
    pair.untouched(start)


def test_a_person_switches_back_in_a_step(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("a person switches back", "in a step of its canary", "the share is gone, and the promotion ends")
    process = _in_its_first_step(pair)
    process.held()
    pair.done(pair.words("switch-back"))
    process.go()
    refused(process.wait(), "NotPromoted", "was changed in the meantime", "Traffic is where they sent it", code=1)
    pair.untouched(start)


def test_steps_that_do_not_rise(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("steps that do not rise", "before anything", "refused by name")
    refused(pair.say(pair.promote("--canary", "50,5")), "BadCanary", "the shares must rise")
    pair.untouched(start)
