"""Sending traffic back: a colour that is asleep is woken, proved, and only then turned to."""

import logging
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import pytest

from blocks.errors import SwitchFailed, Unreachable
from blocks.traffic.state import SwitchState
from flows import promote, switch_back
from flows.core.errors import BothColoursUnhealthy, NotPromoted, ServicesNotReady, SwitchedBack
from flows.core.results import Promoted, TrafficMoved
from flows.tasks.traffic import colours
from tests.support.droplets.fake_colour import FakeSwitch, make_colour

pytestmark = pytest.mark.unit
ENDED = {"web": "exited", "tool": "exited", "job": "exited"}
MOVED = TrafficMoved("green", "blue", "", 100.0, 0.5, 1.0, "http://edge")
BLUE = SimpleNamespace(colour="blue", targets=(SimpleNamespace(name="one/blue"),))


@pytest.fixture
def green(tmp_path, monkeypatch):
    """The colour to go to, which is well unless it is asleep; its log has what was done, in order."""
    made = make_colour(tmp_path, monkeypatch)
    made.log, made.switch, made.rows = made.target.log, FakeSwitch("blue"), []

    def unhealthy(_side, _settings) -> str:
        made.log.append("proved")
        return "asleep" if made.marker.exists() else ""

    def move(*_given):
        made.log.append("turned")
        return MOVED

    for name, instead in {
        "Settings": lambda: made.target.settings, "stack_name": lambda _: "shop", "block_cache": nullcontext,
        "open_switch": lambda _: nullcontext(made.switch), "load_environment": lambda *_: None,
        "load_colours": lambda *_: {"green": made.colour, "blue": BLUE}, "read_switch": lambda switch: switch.read(),
        "unhealthy_reason": unhealthy, "move_traffic": move, "finish_switch": lambda _: made.log.append("finished"),
        "table": lambda _key, rows, _words: made.rows.extend(rows), "get_run_logger": lambda: logging.getLogger("test"),
    }.items():  # fmt: skip
        monkeypatch.setattr(switch_back, name, instead)
    return made


def asleep(green):
    green.put(**ENDED)
    green.mark_asleep("web", "tool")


def order(green) -> list[str]:
    return [line for line in green.log if not line.startswith(("turning", "droplet's lock"))]


def test_one_that_is_asleep_is_woken_proved_and_only_then_turned_to(green):
    asleep(green)
    moved = switch_back.switch_back.fn()
    assert order(green) == ["proved", "turned", "finished"]
    assert green.running == {"web", "tool"}
    assert moved.woken_after > 0
    assert replace(moved, woken_after=0.0) == replace(MOVED, tag="v1")
    assert green.rows[0]["woken after"] == f"{moved.woken_after:.2f} s"


def test_one_that_is_awake_is_told_without_a_time(green):
    assert switch_back.switch_back.fn().woken_after == 0
    assert "woken after" not in green.rows[0]


def test_one_that_cannot_be_woken_gets_no_traffic(green):
    asleep(green)
    (green.root / "becomes").write_text("dead")
    with pytest.raises(ServicesNotReady):
        switch_back.switch_back.fn()
    assert order(green) == []


def test_by_force_traffic_goes_there_all_the_same(green):
    asleep(green)
    (green.root / "becomes").write_text("dead")
    assert switch_back.switch_back.fn(force=True).woken_after == 0
    assert order(green) == ["turned", "finished"]


def test_by_force_one_that_is_asleep_is_woken_too(green):
    asleep(green)
    assert switch_back.switch_back.fn(force=True).woken_after > 0
    assert (green.running, order(green)) == ({"web", "tool"}, ["turned", "finished"])


def test_where_none_sleeps_force_asks_no_droplet(green):
    green.target.settings = green.target.settings.model_copy(update={"keep_warm": "always"})
    green.target.away = Unreachable("gone")
    assert switch_back.switch_back.fn(force=True).colour == "green"
    assert green.log == ["turned", "finished"]


def test_one_that_cannot_be_reached_is_refused_as_one_that_is_not_well(green, monkeypatch):
    green.target.away = Unreachable("gone")
    monkeypatch.setattr(switch_back, "unhealthy_reason", lambda *_: "gone")
    with pytest.raises(BothColoursUnhealthy, match="is not well: gone"):
        switch_back.switch_back.fn()


def back(green):
    return switch_back.move_traffic_back(
        green.switch, BLUE, green.colour, green.switch.states[0], NotPromoted("it failed"), green.target.settings
    )


def test_going_back_wakes_a_colour_that_a_later_watch_finds_asleep(green):
    asleep(green)
    story = back(green)
    assert isinstance(story, SwitchedBack)
    assert "s of waking it" in str(story)
    assert (green.running, order(green)) == ({"web", "tool"}, ["proved", "turned"])


def test_going_back_to_one_that_cannot_be_woken_is_told_and_traffic_stays(green):
    asleep(green)
    (green.root / "broken").touch()
    story = back(green)
    assert isinstance(story, BothColoursUnhealthy)
    assert "Going back failed: " in str(story)
    assert order(green) == []


@pytest.mark.parametrize(("at", "wanted"), [("green", "Look at switch edge itself first"), ("blue", "switch-back")])
def test_going_back_to_one_that_does_not_answer_either_says_what_to_look_at(green, monkeypatch, at, wanted):
    def turn(*_given):
        green.switch.states = [SwitchState((at,))]
        raise SwitchFailed("green does not answer through the edge")

    seen = green.switch.states[0]
    monkeypatch.setattr(switch_back, "move_traffic", turn)
    monkeypatch.setattr(switch_back, "unhealthy_reason", lambda *_: "")
    story = switch_back.move_traffic_back(
        green.switch, BLUE, green.colour, seen, NotPromoted("it failed"), green.target.settings
    )
    assert isinstance(story, BothColoursUnhealthy)
    assert f"it points at {at}" in str(story)
    assert wanted in str(story)
    assert ("switch-back" in str(story)) == (at == "blue")


class Carried(promote.Promotion):
    """A promotion that ends as a test says."""

    def _carry_out(self, _first):
        LOG.append("locks, turn, watch, way back: all of it")
        if isinstance(OUTCOME[0], Exception):
            raise OUTCOME[0]
        return OUTCOME[0]


LOG: list[object] = []
OUTCOME: list[object] = []
PLAN = SimpleNamespace(mark="one/blue 4 v2.0\none/green 1 v1.0")
HELD = Promoted("blue", "green", "v2", 100.0, 0.5, 1.0, plan=PLAN)


@pytest.fixture
def carried(green, monkeypatch):
    LOG.clear()
    monkeypatch.setattr(promote, "prepare_switch", lambda _switch: None)
    monkeypatch.setattr(promote, "finish_switch", lambda _switch: LOG.append("finished"))
    monkeypatch.setattr(promote, "let_sleep", lambda *given: LOG.append(given) or True)

    def run(outcome, active=green.colour):
        OUTCOME[:] = [outcome]
        given = ("shop", green.switch, green.switch.states[0], BLUE, active, 0.0, green.target.settings)
        return Carried(*given).carry_out(None)

    return run


def test_the_old_colour_goes_to_sleep_after_the_watch_when_no_lock_is_held(green, carried):
    assert carried(HELD) == replace(HELD, asleep=True)
    seen = ["one/blue 4 v2.0", "one/green 1 v1.0"]
    assert LOG[1:] == ["finished", (green.switch, green.colour, seen, 100.5, green.target.settings)]


def test_a_promotion_that_goes_back_never_meets_a_colour_that_is_asleep(carried):
    with pytest.raises(SwitchedBack):
        carried(SwitchedBack("it did not hold"))
    assert LOG == ["locks, turn, watch, way back: all of it", "finished"]


def test_where_traffic_came_from_nowhere_nothing_goes_to_sleep(carried):
    assert carried(HELD, active=None) == HELD
    assert LOG[1:] == ["finished"]


def test_what_is_stopped_because_it_is_asleep_is_not_wrong(green):
    assert colours.read_states(green.colour)[0].asleep is False
    asleep(green)
    [state] = colours.read_states(green.colour)
    assert (state.asleep, state.wrong, state.slept, state.running) == (True, (), ("web", "tool"), ())
