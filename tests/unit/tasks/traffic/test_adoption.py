"""An adoption as it is played on a droplet: every step failing, and every kill between two steps, ends well."""

from collections.abc import Iterator
from copy import deepcopy
from types import SimpleNamespace

import pytest

from blocks.errors import Unreachable
from flows import adopt as flow
from flows import hooks
from flows.core.errors import CannotAdopt, DeployFailed, NotApproved, PlanChanged
from tests.support.adoption.droplet import entry, open_droplet
from tests.support.adoption.play import BEFORE, FAILURES, KILLS, Killed, Play, at, stands_adopted, stands_as_before

pytestmark = pytest.mark.unit


@pytest.fixture
def play(monkeypatch, tmp_path) -> Iterator[Play]:
    with open_droplet(tmp_path) as droplet:
        yield Play(monkeypatch, droplet)


def test_what_runs_goes_over_and_the_old_containers_stay(play):
    adopted = play.adopt()
    stands_adopted(play)
    assert (adopted.done, adopted.project, adopted.droplet, adopted.tag) == ("adopted", "shop", "prod", "v1")
    assert adopted.away <= adopted.seconds
    web = next(row for row in adopted.rows if row["service"] == "web")
    assert web["ports"] == "the edge serves shop.example.com; 8080:80/tcp ends"


@pytest.mark.parametrize(("step", "moment"), FAILURES)
def test_a_step_that_fails_leaves_everything_as_it_was(play, step, moment):
    play.fault = at(step, moment, DeployFailed("it broke"))
    with pytest.raises(DeployFailed, match=r"it broke\nProject shop runs again as before") as raised:
        play.adopt()
    stands_as_before(play)
    assert raised.value.exit_code == 1


@pytest.mark.parametrize("error", [Unreachable("prod went away"), ValueError("odd")], ids=["outside", "unforeseen"])
def test_whatever_kind_of_error_it_is_it_tells_the_story(play, error):
    play.fault = at("green", "after", error)
    with pytest.raises(type(error)) as raised:
        play.adopt()
    stands_as_before(play)
    assert "Project shop runs again as before" in f"{raised.value} {getattr(raised.value, '__notes__', '')}"


def test_a_failure_before_the_first_change_changes_nothing(play):
    play.fault = at("pull", "before", Unreachable("prod went away"))
    with pytest.raises(Unreachable):
        play.adopt()
    stands_as_before(play)
    assert not [asked for asked in play.droplet.engine.asked if asked.startswith(("stop", "start", "update"))]


@pytest.mark.parametrize(("step", "moment"), KILLS)
def test_the_same_command_after_a_kill_begins_anew(play, step, moment):
    play.fault = at(step, moment, Killed())
    with pytest.raises(Killed):
        play.adopt()
    play.fault = lambda *_where: None
    again = play.adopt()
    stands_adopted(play)
    assert again.done == ("nothing" if (step, moment) == ("adopted", "marked") else "adopted")


@pytest.mark.parametrize(("step", "moment"), [("stopped", "after"), ("green", "marked"), ("adopted", "marked")])
def test_a_run_that_crashed_or_was_cancelled_is_undone_by_its_hook(play, monkeypatch, step, moment):
    play.fault = at(step, moment, Killed())
    with pytest.raises(Killed):
        play.adopt()
    monkeypatch.setattr(hooks, "adopting_target", lambda *_: play.home)
    hooks.undo_adoption_after_crash(None, SimpleNamespace(id="7", parameters={"stack": "shop"}), None)
    if (step, moment) == ("adopted", "marked"):
        stands_adopted(play)
    else:
        stands_as_before(play)


def test_a_second_adoption_changes_nothing_and_says_so(play):
    play.adopt()
    held = deepcopy(play.droplet.engine.containers)
    again = play.adopt()
    assert (again.done, again.notes) == ("nothing", ("shop is adopted already, as release v1. Nothing was changed",))
    assert play.droplet.engine.containers == held


def test_a_no_changes_nothing(play):
    def no():
        raise NotApproved("rejected")

    play.answer = no
    with pytest.raises(NotApproved):
        play.adopt(asks=True)
    stands_as_before(play)
    assert (
        "| db | database | prod/home | volume shop\\_db" in play.asked[0].replace("`", "") or "shop_db" in play.asked[0]
    )


def test_another_project_than_was_approved_is_refused(play):
    def meanwhile():
        play.droplet.add(entry("web", name="shop-web-2"))

    play.answer = meanwhile
    with pytest.raises(PlanChanged):
        play.adopt(asks=True)
    assert play.droplet.of("shop")["db"] == BEFORE["db"]
    assert not play.droplet.marker.exists()


def test_the_edge_gets_the_ports_of_the_web_and_gives_them_back(play):
    web = play.droplet.add(entry("web"))
    web["HostConfig"]["PortBindings"] = {"80/tcp": [{"HostPort": "80"}]}
    play.droplet.add(entry("caddy", "slipway-edge"))["State"]["Status"] = "exited"
    play.adopt()
    assert "slipway-edge-caddy-1" in play.droplet.running()
    flow._undo(play.home, 0.0)
    assert play.droplet.running() == {"database", "shop-web-1", "billing-other-1"}


def test_a_data_home_elsewhere_is_refused(play):
    object.__setattr__(play.home, "settings", play.home.settings.model_copy(update={"home": "data"}))
    with pytest.raises(CannotAdopt, match="SLIPWAY_HOME=prod"):
        play.adopt()
    stands_as_before(play)
