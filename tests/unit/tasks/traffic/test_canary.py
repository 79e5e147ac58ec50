"""A canary step by step: what each gate does to the share, and who is asked."""

import logging
from types import SimpleNamespace

import pytest

from blocks.errors import SwitchFailed, SwitchMoved, Unreachable
from blocks.traffic.state import Share, SwitchState
from flows import canary
from flows.core.errors import BadCanary, NotApproved, NotPromoted
from flows.core.gates.verdict import GateResult, Verdict
from flows.core.results import GateReport
from flows.tasks.traffic import canary as tasks
from tests.support.droplets.divided_switch import BLUE, GREEN, LEFT, SETTINGS, Divided

pytestmark = pytest.mark.unit

LOG = logging.getLogger("test")


def report(verdict):
    return GateReport("green", (GateResult("latency", verdict, "9 s", "1 s"),), verdict, 1.0, 0.0)


@pytest.fixture
def world(monkeypatch):
    """What the gates say, step after step, what a watch raises, and which records are said to have failed."""
    made = SimpleNamespace(said=[], watches=[], failed=[], windows=[], compared=[])

    def read_gates(colour, active, _states, before, window, settings):
        made.windows.append((window, settings.gate_window))
        made.compared.append((colour, active, before))
        return report(made.said.pop(0) if made.said else Verdict.PASS)

    def keep_watch(_switch, colour, seen, seconds, _settings):
        assert (colour, seconds, seen.share.percent > 0) == (GREEN, 7, True)
        if made.watches and (error := made.watches.pop(0)):
            raise error

    for name, instead in {
        "read_gates": read_gates, "keep_watch": keep_watch, "read_states": lambda _: [SimpleNamespace(release=None)],
        "read_states_if_reachable": lambda _: ["theirs"], "get_run_logger": lambda: LOG,
        "mark_failed": lambda target, words, _wait: made.failed.append((target.name, words)),
        "this_run": lambda: SimpleNamespace(by="Ada", name="promote shop"), "set_share": tasks.set_share.fn,
        "read_switch": lambda switch: switch.read(),
    }.items():  # fmt: skip
        monkeypatch.setattr(canary, name, instead)
    monkeypatch.setattr(tasks, "get_run_logger", lambda: LOG)
    return made


def go(switch, approved=None, **settings):
    own = SETTINGS.model_copy(update=settings)
    with canary.Canary(switch, GREEN, BLUE, own.canary, own) as steps:
        return steps.go_on("v2", approved)


def test_a_release_that_passes_goes_through_all_steps_and_its_share_stands_until_the_turn(world):
    switch = Divided()
    assert go(switch) is None
    assert switch.done == [5, 50]
    assert (switch.share.percent, switch.share.by) == (50, "Ada: trying v2 (promote shop)")
    assert world.windows == [(0.0, 7), (0.0, 7)]
    assert world.compared == [(GREEN, BLUE, ["theirs"])] * 2


@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize("how", ["a gate at its end", "the watch", "unreachable"])
def test_what_fails_in_a_step_takes_the_share_back_and_is_told(world, how, step):
    if how == "a gate at its end":
        world.said = [Verdict.PASS] * step + [Verdict.FAIL]
    else:
        error = NotPromoted("green failed 2 times") if how == "the watch" else Unreachable("gone")
        world.watches = [None] * step + [error]
    switch = Divided()
    with pytest.raises(NotPromoted, match=r"release v2 did not hold as a canary: .*\n.* was taken back.*one/green"):
        go(switch)
    assert switch.done == [*(5, 50)[: step + 1], 0]
    assert [name for name, _ in world.failed] == ["one/green"]


def test_a_share_that_the_edge_does_not_see_is_taken_back(world):
    switch = Divided()
    switch.edge = "none"
    with pytest.raises(NotPromoted, match=r"does not see 5 % of the clients on green after 0.01 s: it says 'none'"):
        go(switch)
    assert switch.done == [5, 0]


def test_a_share_that_cannot_be_taken_back_is_told_with_what_to_do(world):
    world.said, switch = [Verdict.FAIL], Divided()
    switch.fails = [SwitchFailed("gone")]
    with pytest.raises(NotPromoted, match=r"could not be taken back: gone\. .*slipway switch-back"):
        go(switch)


def test_who_moves_traffic_in_a_step_is_not_undone(world, monkeypatch):
    switch = Divided()

    def moved(*_given):
        switch.states = [SwitchState(("green",), "theirs")]
        raise SwitchMoved("moved to green by Grace")

    monkeypatch.setattr(canary, "keep_watch", moved)
    with pytest.raises(NotPromoted, match=r"moved to green by Grace\nTraffic is where they sent it"):
        go(switch)
    assert (switch.done, world.failed) == ([5], [])


@pytest.mark.parametrize(
    ("mode", "approved", "asked"),
    [("inconclusive", None, True), ("inconclusive", Verdict.PASS, True), ("inconclusive", Verdict.INCONCLUSIVE, False),
     ("always", Verdict.PASS, True)],
)  # fmt: skip
def test_an_inconclusive_step_asks_and_its_share_stays_meanwhile(world, mode, approved, asked):
    world.said, switch = [Verdict.INCONCLUSIVE], Divided()
    said = go(switch, approved, approval=mode)
    assert (said is not None) is asked
    assert switch.done == ([5] if asked else [5, 50])


def test_where_nobody_may_be_asked_an_inconclusive_step_fails(world):
    world.said, switch = [Verdict.INCONCLUSIVE], Divided()
    with pytest.raises(
        NotPromoted, match=r"inconclusive with 5 % of the clients on green.*approval is never[^\n]*\n.*back"
    ):
        go(switch, approval="never")
    assert (switch.done, world.failed) == ([5, 0], [])


def test_after_a_yes_it_goes_on_with_the_next_step(world):
    world.said, switch = [Verdict.INCONCLUSIVE], Divided()
    with canary.Canary(switch, GREEN, BLUE, (5, 50), SETTINGS) as steps:
        assert steps.go_on("v2", None) is not None
        steps.check(switch.states[0])
        assert steps.go_on("v2", Verdict.INCONCLUSIVE) is None
    assert switch.done == [5, 50]


def asked(world, switch, then):
    """A canary that is inconclusive after its first step, and what happens while a person is asked."""
    world.said = [Verdict.INCONCLUSIVE]
    with canary.Canary(switch, GREEN, BLUE, (5, 50), SETTINGS) as steps:
        steps.go_on("v2", None)
        then(steps)


@pytest.mark.parametrize("error", [NotApproved("no"), KeyboardInterrupt()])
def test_after_a_no_or_an_interrupt_the_share_goes(world, error):
    def ends(_steps):
        raise error

    switch = Divided()
    with pytest.raises(type(error)):
        asked(world, switch, ends)
    assert switch.done == [5, 0]


@pytest.mark.parametrize("now", [None, Share("green", 5, "another mark", "Grace")])
def test_a_share_that_somebody_changed_while_a_person_was_asked_ends_it(world, now):
    def changed(steps):
        switch.put(now)
        steps.check(switch.states[0])

    switch = Divided()
    with pytest.raises(NotPromoted, match="was changed by somebody meanwhile"):
        asked(world, switch, changed)
    assert (switch.done, switch.share) == ([5], now)


def test_without_steps_nothing_is_asked_of_the_switch(world):
    switch = Divided()
    with canary.Canary(switch, GREEN, None, (), SETTINGS) as steps:
        steps.check(switch.states[0])
        assert steps.go_on("v2", None) is None
    assert (switch.done, switch.log) == ([], [])


def test_a_promotion_takes_back_first_what_another_has_left(world):
    switch = Divided(LEFT)
    with canary.Canary(switch, GREEN, BLUE, (), SETTINGS) as steps:
        steps.check(switch.states[0])
    assert (switch.done, switch.share) == ([0], None)


@pytest.mark.parametrize(
    ("undivided", "edge", "words"),
    [("it sends all traffic to one colour", "", r"a Divided, can send no share.*: it sends all.*--canary none"),
     ("", "<html>", r"knows no shares: asked for http://edge/\.slipway/canary it says '<html>'.*BLUE_GREEN")],
)  # fmt: skip
def test_a_switch_or_an_edge_that_knows_no_shares_is_refused_by_name(undivided, edge, words):
    switch = Divided()
    switch.undivided, switch.edge = undivided, edge
    tasks.refuse_canary(switch, ())
    with pytest.raises(BadCanary, match=words) as error:
        tasks.refuse_canary(switch, (5,))
    assert (error.value.exit_code, switch.done) == (2, [])


@pytest.mark.parametrize("share", [None, LEFT])
def test_an_edge_that_knows_shares_is_accepted_whether_one_stands_or_not(share):
    switch = Divided(share)
    tasks.refuse_canary(switch, (5,))
    assert switch.done == []
