"""A colour that is asleep is woken before traffic goes there, and nobody puts it to sleep meanwhile."""

import pytest

from flows.core.errors import DeployFailed, DropletBusy, ServicesNotReady
from flows.tasks.traffic import waking
from tests.support.droplets.fake_colour import make_colour

pytestmark = pytest.mark.unit
ENDED = {"web": "exited", "tool": "exited", "job": "exited"}
SENDING = "turning: sending traffic to green of shop, waits 7 s"


@pytest.fixture
def green(tmp_path, monkeypatch):
    made = make_colour(tmp_path, monkeypatch)
    made.put(**ENDED)
    made.mark_asleep("web", "tool")
    return made


def wake(green, **settings) -> float:
    given = green.target.settings.model_copy(update=settings)
    with waking.kept_awake(green.colour, waking.read_states(green.colour), given) as seconds:
        green.log.append("awake")
        return seconds


def test_what_ran_is_started_again_and_the_marker_goes(green):
    assert wake(green) > 0
    assert (green.running, green.marker.exists()) == ({"web", "tool"}, False)
    assert green.log == [SENDING, *["droplet's lock: waking green of shop"] * 2, "awake"]


def test_containers_are_started_as_they_are_and_one_shots_are_not_run_again(green):
    wake(green)
    [asked] = green.asked("up")
    assert asked.split()[asked.split().index("up") :] == [
        *("up", "--detach", "--no-build", "--pull", "never", "--no-recreate", "--no-deps", "--quiet-pull"),
        *("tool", "web"),
    ]


def test_one_that_is_awake_is_only_kept_so(green):
    wake(green)
    green.log.clear()
    assert wake(green) == 0
    assert (green.log, len(green.asked("up"))) == ([SENDING, "awake"], 1)


def test_where_nothing_ever_sleeps_no_lock_is_taken(green):
    wake(green)
    green.log.clear()
    assert wake(green, keep_warm="always") == 0
    assert green.log == ["awake"]


def test_one_that_sleeps_is_woken_though_none_is_to_sleep_any_more(green):
    assert wake(green, keep_warm="always") > 0
    assert green.running == {"web", "tool"}


def test_ended_before_the_marker_went_it_is_done_again(green):
    green.put(web="running", tool="running", job="exited")
    assert wake(green) > 0
    assert (green.running, green.marker.exists()) == ({"web", "tool"}, False)


def test_a_droplet_that_another_run_changes_is_not_touched(green):
    green.target.busy = True
    with pytest.raises(DropletBusy) as error:
        wake(green)
    assert (error.value.exit_code, green.running, green.asked("up")) == (2, set(), [])


def test_one_that_does_not_start_says_so_and_where_traffic_is(green):
    (green.root / "broken").touch()
    with pytest.raises(DeployFailed) as error:
        wake(green)
    assert "Traffic was not moved. Why: slipway debug-agent --droplet one/green" in str(error.value)
    assert (error.value.exit_code, green.marker.exists(), "awake" in green.log) == (1, True, False)


def test_one_that_does_not_become_ready_keeps_its_marker(green):
    (green.root / "becomes").write_text("dead")
    with pytest.raises(ServicesNotReady, match="Traffic was not moved"):
        wake(green)
    assert (green.marker.exists(), "awake" in green.log) == (True, False)
