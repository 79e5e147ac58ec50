"""Promotions that cannot be: they are refused and told, and traffic stays where it is."""

from dataclasses import replace

import pytest

from tests.faults.harness.blue_green import FIRST, SECOND, BlueGreenScenario, other, refused
from tests.faults.harness.doubles.disposable_edge import COLOURS
from tests.faults.harness.invariants import newest

pytestmark = pytest.mark.faults
REFUSED = "refused and told; traffic stays"
SILENT = "silent"
WORKER = "command: [/srv/part, worker]"


def test_nothing_stands_on_the_idle_colour(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("nothing deployed on the idle colour", "look at a colour", f"{REFUSED}; with --tag it works")
    pair.wipe(start.idle)
    refused(pair.say(pair.promote()), "NothingDeployed", pair.block(start.idle), "slipway promote --tag")
    pair.untouched(start)
    pair.goes_on(start)


def test_the_idle_release_is_older(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("the idle release is the older one", "gates", "approval never: refused; otherwise a person is asked")
    pair.edge.point(start.idle)
    mark = pair.edge.mark()
    refused(pair.say(pair.promote()), "NotPromoted", "order: ", "is before", "--approval inconclusive", code=1)
    asking = pair.start_process(pair.promote("--approval", "inconclusive"))
    pair.asked(asking)
    pair.done(["approve", asking.run(), "--reject", "--name", "Ada", "--reason", "not backwards"])
    refused(asking.wait(), "NotApproved", "Ada: not backwards", code=3)
    assert pair.edge.mark() == mark
    pair.ended_well(start, start.idle)


def test_the_colours_share_a_droplet_by_mistake(pair: BlueGreenScenario) -> None:
    pair.only_apart("they are, and may be")
    start = pair.settle()
    pair.says("the colours share a droplet, and another; two blocks of one", "read the settings", REFUSED)
    more = f'["{pair.block("green")}", "{pair.block("second")}"]'
    refused(pair.say(pair.promote(), {"SLIPWAY_BLUE": more}), "BadColours", "one droplet, that one alone")
    twice = {"SLIPWAY_BLUE": f'["{pair.block("data")}"]', "SLIPWAY_GREEN": f'["{pair.block("second")}"]'}
    refused(pair.say(pair.promote(), twice), "BadColours", "are one")
    refused(pair.say(pair.promote(), {"SLIPWAY_BLUE": "[]"}), "BadColours", "has no droplet")
    pair.untouched(start)


def test_the_switch_points_nowhere(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("the switch points nowhere", "read the switch", "refused without --to; with it, promoted")
    pair.edge.point()
    for verb in ("promote", "switch-back", "watch"):
        refused(pair.say(pair.words(verb)), "SwitchAmbiguous", "--to COLOUR")
    assert pair.edge.files() == []
    pair.done(pair.promote("--to", start.idle))
    pair.ended_well(start, start.idle)
    pair.goes_on(start)


def test_the_switch_points_nowhere_and_back_from_there_is_a_persons_word(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says(
        "the switch points nowhere; the candidate becomes unhealthy", "watch", "told; traffic is not sent anywhere"
    )
    pair.edge.point()
    watching = pair.start_process(
        pair.promote("--to", start.idle, "--watch", "5"), when="after", step="probe through the switch"
    )
    watching.held()
    pair.make_unhealthy(start.idle)
    watching.go()
    refused(watching.wait(), "BothColoursUnhealthy", "came from nowhere", code=1)
    assert pair.edge.files() == [start.idle]
    pair.done(pair.words("switch-back"))
    pair.ended_well(start, start.active)


def test_the_switch_points_at_both(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("the switch points at both colours", "read the switch", f"{REFUSED}; switch-back --to settles it")
    pair.edge.point(*COLOURS)
    mark = pair.edge.mark()
    for words in (pair.promote(), pair.promote("--to", start.idle), pair.words("switch-back"), pair.words("watch")):
        refused(pair.say(words), "SwitchAmbiguous", "switch-back --to COLOUR")
    assert (pair.edge.files(), pair.edge.mark()) == (["blue", "green"], mark)
    pair.done(pair.words("switch-back", "--to", start.idle))
    pair.ended_well(start, start.idle)
    pair.goes_on(start)


def test_a_volume_of_which_nothing_is_said(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("a service with a named volume says nothing of it", "plan", f"{REFUSED}; the idle colour too")
    changes = ((WORKER, f'{WORKER}\n    volumes: ["scratch:/scratch"]'), ("volumes:\n", "volumes:\n  scratch:\n"))
    stack = pair.sides["green"]
    replace(stack, changes=(*stack.changes, *changes)).publish(SILENT)
    said = pair.say(pair.promote("--tag", SILENT))
    refused(said, "StateUndeclared", "worker (volume", "x-slipway: {data: home}")
    assert pair.sides[start.idle].version() == start.tags[start.idle]
    pair.done(pair.deploy(SILENT, start.idle))
    refused(pair.say(pair.promote()), "StateUndeclared", "worker (volume", "x-slipway: {data: home}")
    pair.untouched(start)
    pair.goes_on(start)


def test_services_at_home_without_a_home(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("services are at home, and no data home is set", "plan", f"{REFUSED}; the idle colour too")
    said = pair.say(pair.promote("--tag", SECOND), {"SLIPWAY_HOME": ""})
    refused(said, "StateUndeclared", "store", "SLIPWAY_HOME")
    pair.untouched(start)
    assert pair.sides[start.idle].version() == start.tags[start.idle]


def test_the_droplets_of_a_colour_carry_different_releases(pair: BlueGreenScenario) -> None:
    pair.only_apart("a colour that shares its droplet has no other")
    start = pair.settle()
    pair.says("a colour's two droplets carry different releases", "plan", f"{REFUSED}; with --tag both get it")
    pair.edge.point("blue")
    two = {"SLIPWAY_GREEN": f'["{pair.block("green")}", "{pair.block("second")}"]'}
    different = FIRST if start.tags["green"] == SECOND else SECOND
    pair.done(pair.words("deploy", "--tag", different, "--droplet", pair.block("second")), two)
    mark = pair.edge.mark()
    refused(pair.say(pair.promote(), two), "NothingDeployed", "different releases", pair.block("second"))
    assert pair.edge.mark() == mark
    pair.done(pair.promote("--tag", FIRST), two)
    assert newest(pair.second)["tag"] == newest(pair.sides["green"])["tag"] == FIRST
    assert pair.second.version() == FIRST
    pair.ended_well(start, "green", FIRST)


def test_words_that_mean_nothing(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("unknown colour, release, policy, switch; none at all", "read the settings", REFUSED)
    for words in (pair.promote("--to", "red"), pair.words("switch-back", "--to", "red")):
        said = pair.say(words)
        assert said.code == 2
        assert "'red' is not one of 'green', 'blue'" in said.err
    refused(pair.say(pair.promote("--to", start.active)), "SwitchAmbiguous", f"at {start.active} already")
    refused(pair.say(pair.promote("--tag", "nonesuch")), "ReleaseNotFound")
    refused(pair.say(pair.promote(), {"SLIPWAY_SWITCH": ""}), "NoSwitch", "SLIPWAY_SWITCH")
    refused(pair.say(pair.promote(), {"SLIPWAY_SWITCH": "nonesuch"}), "BlockMissing", "slipway switch add")
    assert pair.say(pair.promote("--approval", "maybe")).code == 2
    pair.untouched(start)
    assert other(start.active) == start.idle
