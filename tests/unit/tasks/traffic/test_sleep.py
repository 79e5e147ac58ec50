"""The colour that traffic left goes to sleep: only while all is as it was decided by, and right whenever a run ends."""

import json
from contextlib import nullcontext

import pytest

from blocks.errors import SwitchFailed, Unreachable
from blocks.traffic.state import SwitchState
from flows.core.errors import DeployFailed, DropletBusy
from flows.tasks.traffic import sleep
from tests.support.droplets.fake_colour import FakeSwitch, make_colour

pytestmark = pytest.mark.unit
SEEN = ["one/blue 4 v2.0", "one/green 1 v1.0"]
ENDED = {"web": "exited", "tool": "exited", "job": "exited"}


@pytest.fixture
def green(tmp_path, monkeypatch):
    return make_colour(tmp_path, monkeypatch)


def test_it_is_marked_and_stopped_and_nothing_is_removed(green):
    switch = FakeSwitch("blue", log=green.log)
    assert sleep.put_to_sleep(switch, green.colour, SEEN, green.target.settings) == ""
    assert green.running == set()
    said = json.loads(green.marker.read_text())
    assert (said["release"], said["services"]) == ("v1.0", ["tool", "web"])
    assert green.marker.stat().st_mode & 0o077 == 0
    assert [line.split()[-1] for line in green.asked("compose")] == ["stop"]


def test_the_switch_is_read_under_both_locks_and_before_the_first_change(green):
    sleep.put_to_sleep(FakeSwitch("blue", log=green.log), green.colour, SEEN, green.target.settings)
    purpose = "putting green of shop to sleep"
    assert green.log[:3] == [f"droplet's lock: {purpose}", f"turning: {purpose}", "switch read"]


@pytest.mark.parametrize(
    ("active", "seen", "reason"),
    [
        (("green",), SEEN, "the switch points at green"),
        (("blue", "green"), SEEN, "the switch points at blue and green"),
        ((), SEEN, "the switch points at no colour"),
        (("blue",), ["one/green 0 v0.0"], "one/green carries release v1 of record 1 by now"),
    ],
)
def test_what_is_not_as_it_was_stays_awake(green, active, seen, reason):
    assert sleep.put_to_sleep(FakeSwitch(*active), green.colour, seen, green.target.settings) == reason
    assert green.running == {"web", "tool"}
    assert not green.marker.exists()


def test_who_sends_traffic_there_meanwhile_is_not_waited_for(green):
    green.turned_by = "me"
    with pytest.raises(DropletBusy, match="me turns traffic"):
        sleep.put_to_sleep(FakeSwitch("blue"), green.colour, SEEN, green.target.settings)
    assert (green.running, green.marker.exists()) == ({"web", "tool"}, False)


def test_twice_is_as_once_and_keeps_what_ran_at_first(green):
    for _ in range(2):
        assert sleep.put_to_sleep(FakeSwitch("blue"), green.colour, SEEN, green.target.settings) == ""
    assert json.loads(green.marker.read_text())["services"] == ["tool", "web"]


def test_ended_between_the_marker_and_the_stop_it_is_finished_by_the_next(green):
    (green.root / "broken").touch()
    with pytest.raises(DeployFailed):
        sleep.put_to_sleep(FakeSwitch("blue"), green.colour, SEEN, green.target.settings)
    assert (green.running, green.marker.exists()) == ({"web", "tool"}, True)
    green.put(web="exited", tool="running", job="exited")  # stopped by halves
    (green.root / "broken").unlink()
    assert sleep.put_to_sleep(FakeSwitch("blue"), green.colour, SEEN, green.target.settings) == ""
    assert green.running == set()
    assert json.loads(green.marker.read_text())["services"] == ["tool", "web"]


def let_sleep(green, switch, turned_at=1000.0, now=1000.0, **settings):
    sleep.time.time = lambda: now
    given = green.target.settings.model_copy(update=settings)
    return sleep.let_sleep(switch, green.colour, SEEN, turned_at, given)


@pytest.fixture
def waits(monkeypatch):
    """The seconds that were to be waited; nobody waits for them."""
    asked = []

    def until(read, done, within, **_more):
        asked.append(within)
        found = read()
        while not done(found) and within:
            within, found = 0, read()
        return found

    monkeypatch.setattr(sleep, "until", until)
    monkeypatch.setattr(sleep, "time", type("Clock", (), {"time": staticmethod(lambda: 1000.0)}))
    return asked


@pytest.mark.parametrize(
    ("keep_warm", "now", "waited"),
    [("", 1000, 0), ("never", 1000, 0), (60.0, 1020, 40), (60.0, 1500, 0), (60.0, 900, 60)],
    ids=["one droplet", "never", "some are over", "all are over", "a clock that was set back"],
)
def test_it_is_kept_warm_for_as_long_as_the_setting_says_from_the_turn(green, waits, keep_warm, now, waited):
    assert let_sleep(green, FakeSwitch("blue"), now=now, keep_warm=keep_warm)
    assert (waits, green.running) == ([waited], set())


def test_always_is_for_ever(green, waits):
    assert not let_sleep(green, FakeSwitch("blue"), keep_warm="always")
    assert (waits, green.running, green.log) == ([], {"web", "tool"}, [])


def test_no_lock_is_held_while_it_waits(green, waits):
    let_sleep(green, FakeSwitch("blue", log=green.log), keep_warm=60.0)
    locked = next(n for n, line in enumerate(green.log) if "lock" in line)
    assert green.log[:locked] == ["switch read", "switch read"]


def test_traffic_that_comes_back_meanwhile_ends_the_wait_and_nothing_is_stopped(green, monkeypatch, caplog):
    monkeypatch.setattr(sleep, "_PAUSE", 0.001)
    switch = FakeSwitch("blue")
    switch.states = [SwitchState(("blue",)), SwitchState(("green",))]
    settings = green.target.settings.model_copy(update={"keep_warm": 3600.0})
    assert not sleep.let_sleep(switch, green.colour, SEEN, sleep.time.time(), settings)
    assert green.running == {"web", "tool"}
    assert "does not go to sleep: the switch points at green" in caplog.text


def test_a_failure_is_a_warning_and_no_more(green, waits, caplog):
    green.target.busy = True
    assert not let_sleep(green, FakeSwitch("blue"))
    green.target.busy, green.target.away = False, Unreachable("it went away")
    assert not let_sleep(green, FakeSwitch("blue"))
    said = [one.getMessage().partition(": ")[2] for one in caplog.records if one.levelname == "WARNING"]
    assert said == ["another changes it", "it went away"]
    assert green.running == {"web", "tool"}


def test_a_switch_that_cannot_be_read_leaves_it_awake(green, waits):
    switch = FakeSwitch("blue")
    switch.read = lambda: (_ for _ in ()).throw(SwitchFailed("no answer"))
    assert not let_sleep(green, switch)
    assert (green.running, green.marker.exists()) == ({"web", "tool"}, False)


def settle(green, monkeypatch, *active, **settings):
    monkeypatch.setattr(sleep, "_active", lambda _settings: active)
    green.target.settings = green.target.settings.model_copy(update=settings)
    state = sleep.read_states(green.colour)[0]
    return sleep.settle_sleep(green.target, green.target, state)


def test_one_that_is_asleep_is_left_asleep(green, monkeypatch):
    green.put(**ENDED)
    green.mark_asleep("web", "tool")
    assert settle(green, monkeypatch, "blue") == ("nothing to do", "release v1 is asleep")
    assert (green.running, green.marker.exists(), green.asked("compose")) == (set(), True, [])


@pytest.mark.parametrize("runs", [("web",), ("web", "tool")], ids=["stopped by halves", "the droplet was restarted"])
def test_what_runs_beside_the_marker_is_stopped_where_traffic_goes_elsewhere(green, monkeypatch, runs):
    green.put(**{**ENDED, **dict.fromkeys(runs, "running")})
    green.mark_asleep("web", "tool")
    done, why = settle(green, monkeypatch, "blue")
    assert (done, why) == (
        "put to sleep again", f"release v1 is asleep, and {', '.join(sorted(runs))} runs; traffic goes to blue",
    )  # fmt: skip
    assert (green.running, json.loads(green.marker.read_text())["services"]) == (set(), ["web", "tool"])


@pytest.mark.parametrize(
    ("runs", "active", "settings"),
    [("web", ("green",), {}), ("", ("green",), {}), ("web", (), {}), ("web", ("blue",), {"keep_warm": "always"})],
    ids=["traffic comes here", "traffic comes here, nothing runs", "nobody knows where it goes", "it is to stay awake"],
)
def test_else_it_is_woken(green, monkeypatch, runs, active, settings):
    green.put(**{**ENDED, **({runs: "running"} if runs else {})})
    green.mark_asleep("web", "tool")
    done, _why = settle(green, monkeypatch, *active, **settings)
    assert done == "release v1 was woken"
    assert (green.running, green.marker.exists()) == ({"web", "tool"}, False)


@pytest.fixture
def sleeping(green, monkeypatch):
    monkeypatch.setattr(sleep, "open_switch", lambda _settings: nullcontext(FakeSwitch("blue")))
    object.__setattr__(green.target, "settings", green.target.settings.model_copy(update={"switch": "edge"}))
    assert sleep.put_to_sleep(FakeSwitch("blue"), green.colour, SEEN, green.target.settings) == ""
    return green


def fails(green, meanwhile) -> None:
    def deploy() -> None:
        with sleep.sleeping_again(green.colour, green.target.settings):
            meanwhile()
            raise DeployFailed("it did not start")

    with pytest.raises(DeployFailed):
        deploy()


def woken(green) -> None:
    green.marker.unlink()
    green.put(web="running", tool="running", job="exited")


def test_what_slept_sleeps_again_when_a_deploy_onto_it_failed_and_was_rolled_back(sleeping):
    fails(sleeping, lambda: woken(sleeping))
    assert (sleeping.running, sleeping.marker.exists()) == (set(), True)


def test_a_deploy_that_held_leaves_it_awake(sleeping):
    with sleep.sleeping_again(sleeping.colour, sleeping.target.settings):
        woken(sleeping)
    assert sleeping.running == {"web", "tool"}


def test_what_failed_and_stands_there_stays_awake_to_be_looked_at(sleeping):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sleep, "_sleeping", lambda _colour: {"v0.0"})  # another release slept there
        fails(sleeping, lambda: woken(sleeping))
    assert sleeping.running == {"web", "tool"}


def test_what_was_awake_stays_awake_whatever_fails(green, monkeypatch):
    object.__setattr__(green.target, "settings", green.target.settings.model_copy(update={"switch": "edge"}))
    fails(green, lambda: None)
    assert (green.running, green.marker.exists()) == ({"web", "tool"}, False)
