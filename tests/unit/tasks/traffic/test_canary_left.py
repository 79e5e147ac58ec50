"""A share that a killed promotion has left: who takes it back, who leaves it, and how it is shown."""

import logging
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest

from blocks.errors import SwitchMoved, Unreachable
from blocks.traffic.state import SwitchState, shares_of
from flows import reconcile, switch_back, watch
from flows.core.errors import DropletBusy
from flows.core.results import Reconciled
from flows.core.traffic.promotion_plan import PromotionPlan
from flows.tasks.traffic import canary as tasks
from tests.support.droplets.divided_switch import BLUE, GREEN, LEFT, SETTINGS, Divided

pytestmark = pytest.mark.unit

LOG = logging.getLogger("test")


@pytest.fixture(autouse=True)
def logged(monkeypatch):
    monkeypatch.setattr(tasks, "get_run_logger", lambda: LOG)


@pytest.fixture
def locks(monkeypatch):
    """Who holds the locks of the colours."""
    held = SimpleNamespace(by="", asked=[])

    @contextmanager
    def lock(colours, optional, purpose, wait):
        held.asked.append((colours, optional, wait))
        if held.by:
            raise DropletBusy(held.by)
        yield

    monkeypatch.setattr(tasks, "lock_colours", lock)
    return held


def look(monkeypatch, switch):
    """The flow `watch` for an instant; returns the switch as it was watched."""
    watched = []
    for name, instead in {
        "Settings": lambda: SETTINGS, "stack_name": lambda _: "shop", "block_cache": nullcontext,
        "open_switch": lambda _: nullcontext(switch), "load_environment": lambda *_: None,
        "load_colours": lambda *_: {"green": GREEN, "blue": BLUE}, "read_switch": lambda switch: switch.read(),
        "keep_watch": lambda _switch, _active, seen, *_: watched.append(seen),
    }.items():  # fmt: skip
        monkeypatch.setattr(watch, name, instead)
    watch.watch.fn(seconds=0)
    return watched[0]


def test_watch_takes_back_a_share_that_is_left(monkeypatch, locks):
    switch = Divided(LEFT)
    assert look(monkeypatch, switch).share is None
    assert switch.done == [0]
    assert locks.asked == [((GREEN,), BLUE, SETTINGS.lock_patience)]


def test_watch_leaves_the_share_of_a_promotion_under_way(monkeypatch, locks):
    locks.by, switch = "a promotion", Divided(LEFT)
    assert look(monkeypatch, switch).share == LEFT
    assert switch.done == []


def test_a_watch_ends_when_somebody_changes_the_share():
    switch = Divided(LEFT)
    with pytest.raises(SwitchMoved, match=r"from none to 25 % of the clients on green"):
        watch._still(switch, SwitchState(("blue",)))


def test_switch_back_takes_a_share_back_and_leaves_the_active_colour(monkeypatch):
    switch = Divided(LEFT)
    for name, instead in {
        "Settings": lambda: SETTINGS, "stack_name": lambda _: "shop", "block_cache": nullcontext,
        "open_switch": lambda _: nullcontext(switch), "load_environment": lambda *_: None,
        "load_colours": lambda *_: {"green": GREEN, "blue": BLUE}, "read_switch": lambda switch: switch.read(),
        "get_run_logger": lambda: LOG, "move_traffic": lambda *_: pytest.fail("it was turned"),
    }.items():  # fmt: skip
        monkeypatch.setattr(switch_back, name, instead)
    moved = switch_back.switch_back.fn()
    assert (moved.colour, moved.previous_colour, switch.done) == ("blue", "green", [0])


class Locked:
    name, stack, whole, settings, directory = "one/blue", "shop", "shop", SETTINGS, None

    def locked(self, *_given):
        return nullcontext(self)


@pytest.mark.parametrize(("droplet", "ended"), [("one/blue", [0]), ("one/home", [])])
def test_reconcile_of_a_colour_takes_a_share_back_and_says_so(monkeypatch, droplet, ended):
    switch, target = Divided(LEFT), Locked()
    target.name = droplet
    monkeypatch.setattr(tasks, "open_switch", lambda _: nullcontext(switch))
    monkeypatch.setattr(reconcile, "Target", SimpleNamespace(resolve=lambda **_: target))
    monkeypatch.setattr(reconcile, "remove_left_best_effort", lambda _: None)
    monkeypatch.setattr(reconcile, "prune_best_effort", lambda *_: None)
    monkeypatch.setattr(reconcile, "_recover", lambda *_: Reconciled(droplet, "nothing to do", "all is well"))
    done = reconcile.reconcile.fn().done
    assert switch.done == ended
    assert done == ("the canary (25 % of the clients on green) was taken back: all clients reach the active colour; "
                    if ended else "") + "nothing to do"  # fmt: skip


def test_reconcile_goes_on_where_the_switch_cannot_be_read(monkeypatch):
    monkeypatch.setattr(tasks, "open_switch", lambda _: nullcontext(SimpleNamespace(read=_unreachable)))
    assert tasks.take_back_best_effort("one/blue", SETTINGS) == ""
    assert tasks.take_back_best_effort("one/blue", SETTINGS.model_copy(update={"switch": ""})) == ""


def _unreachable():
    raise Unreachable("gone")


@pytest.mark.parametrize(
    ("seen", "shares"),
    [
        (SwitchState(("blue",), share=LEFT), {"green": 25, "blue": 75}),
        (SwitchState(("green",), share=LEFT), {}),
        (SwitchState(("blue",)), {}),
    ],
)
def test_status_says_which_share_of_the_clients_reaches_a_colour(seen, shares):
    assert shares_of(seen) == shares


def test_a_plan_says_which_share_stands_and_which_steps_come():
    plan = PromotionPlan("shop", "green", "blue", ("g",), "edge", "Nothing.", "v2", "v1", (), (), ("first",), "mark")
    assert plan.with_canary("", (), 60) == plan
    assert plan.with_canary(str(LEFT), (5,), 60).notes == (
        "first",
        "a canary stands now: 25 % of the clients on green; another promotion takes it back first",
        "a canary first: 5 % of the clients, by their address, for 60 s each",
    )
