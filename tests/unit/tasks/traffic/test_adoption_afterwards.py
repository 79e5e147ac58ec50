"""After an adoption: it is undone or finished, and nothing is lost by either."""

from collections.abc import Iterator

import pytest

from flows import adopt as flow
from flows.core.errors import CannotAdopt, ConflictingOptions, DeployFailed, NotUndone
from flows.settings import Settings
from flows.tasks.traffic import adoption as steps
from tests.support.adoption.droplet import entry, open_droplet
from tests.support.adoption.play import EDGE, Killed, Play, at, stands_adopted, stands_as_before

pytestmark = pytest.mark.unit


@pytest.fixture
def play(monkeypatch, tmp_path) -> Iterator[Play]:
    with open_droplet(tmp_path) as droplet:
        yield Play(monkeypatch, droplet)


def test_undoing_it_later_says_what_stays_in_the_new_place(play):
    play.adopt()
    play.droplet.starts("shop-blue", "web")
    undone = flow._undo(play.home, 0.0)
    stands_as_before(play)
    assert undone.done == "undone"
    assert "What was written since to uploads in " in undone.notes[0]
    assert play.droplet.of("shop-blue") == {"web": ("shop-blue-web-1", "exited", "no")}
    assert flow._undo(play.home, 0.0).done == "nothing"


def test_what_was_written_at_home_before_it_was_undone_goes_aside_and_is_not_lost(play, caplog):
    play.adopt()
    written = next(play.droplet.root.glob("*PLACE/shop-home/shared/uploads"))
    (written / "a").write_text("since")
    flow._undo(play.home, 0.0)
    play.adopt()
    stands_adopted(play)
    [kept] = play.droplet.root.glob("*PLACE/.adopted/shop-home.kept.*/uploads/a")
    assert kept.read_text() == "since"
    assert "what stood at uploads is in " in caplog.text


def test_finishing_removes_the_old_containers_and_their_networks_and_no_volume(play):
    play.adopt()
    assert flow._finish(play.home, True, 0.0).done == "finished"
    assert "database, shop-job-1, shop-web-1" in play.asked[-1]
    assert play.droplet.of("shop") == {}
    assert play.droplet.engine.networks == {}
    assert set(play.droplet.engine.volumes) == {"shop_db"}
    assert play.droplet.running() == {"shop-home-db-1", "shop-green-web-1", "shop-green-job-1", "billing-other-1", EDGE}
    assert not [asked for asked in play.droplet.engine.asked if asked.startswith(("rm --volumes", "volume rm"))]
    assert flow._finish(play.home, True, 0.0).done == "nothing"
    assert play.adopt().notes == ("shop does not run: the stack runs in two colours already. Nothing was changed",)


def test_a_network_that_something_uses_stays_and_is_told(play):
    play.adopt()
    next(iter(play.droplet.engine.networks.values()))["used"] = True
    assert flow._finish(play.home, False, 0.0).notes == ("network shop_default stays: something uses it",)


def test_what_runs_again_is_not_removed(play):
    play.adopt()
    old = entry("web")["Id"]
    play.droplet.run(["docker", "start", old], timeout=9)
    with pytest.raises(CannotAdopt, match="shop-web-1 of project shop runs"):
        flow._finish(play.home, False, 0.0)
    assert "web" in play.droplet.of("shop")


def test_nothing_is_removed_of_an_adoption_that_was_cut(play):
    play.fault = at("home", "before", Killed())
    with pytest.raises(Killed):
        play.adopt()
    with pytest.raises(CannotAdopt, match="was cut after 'copied'"):
        flow._finish(play.home, False, 0.0)


def test_a_container_that_somebody_removed_is_told_and_all_others_run(play):
    play.adopt()
    play.droplet.run(["docker", "rm", entry("web")["Id"]], timeout=9)
    with pytest.raises(NotUndone, match="shop-web-1 was removed"):
        flow._undo(play.home, 0.0)
    assert play.droplet.running() == {"database", "billing-other-1", EDGE}
    assert play.droplet.marker.exists()


def test_undoing_that_fails_is_told_below_what_happened(play, monkeypatch):
    play.fault = at("home", "before", DeployFailed("it broke"))
    monkeypatch.setattr(steps, "restore_script", lambda _: "exit 7")
    with pytest.raises(DeployFailed, match=r"(?s)it broke\nUndoing it did not succeed either.*slipway adopt --undo"):
        play.adopt()
    assert play.droplet.marker.exists()


@pytest.mark.parametrize(
    ("given", "settings", "words"),
    [
        ({"tag": "v1"}, Settings(green=("a",), blue=("b",)), "SLIPWAY_ONE_DROPLET=NAME"),
        ({}, Settings(one_droplet="prod"), "--tag TAG"),
        ({"tag": "v1", "undo": True}, Settings(one_droplet="prod"), "--undo"),
        ({"undo": True, "finish": True}, Settings(one_droplet="prod"), "--finish"),
    ],
)
def test_options_that_do_not_say_one_thing_are_refused(monkeypatch, given, settings, words):
    monkeypatch.setattr(flow, "Settings", lambda: settings)
    with pytest.raises(ConflictingOptions, match=words) as raised:
        flow.adopt.fn(stack="shop", **given)
    assert raised.value.exit_code == 2
