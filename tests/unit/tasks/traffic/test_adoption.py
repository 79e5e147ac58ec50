"""An adoption as it is played on a droplet: every step failing, and every kill between two steps, ends well."""

import contextlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from blocks.errors import Unreachable
from flows import adopt as flow
from flows import hooks
from flows.core.errors import CannotAdopt, DeployFailed, NotApproved, NotUndone, PlanChanged
from flows.core.traffic.adoption.marker import read_marker
from flows.tasks.traffic import adoption as steps
from flows.tasks.traffic.colours import ColourDroplets
from tests.support.adoption.droplet import DIGEST, PlayedDroplet, adopted_release, entry, make_droplet, played_target

pytestmark = pytest.mark.unit

# A step is done, and its marker is written or is not yet: every state that a droplet can be left in.
KILLS = [
    ("begun", "marked"),
    *((step, moment) for step in ("stopped", "copied", "home", "green", "adopted") for moment in ("after", "marked")),
]
FAILURES = [("stopped", "before"), *KILLS]
BEFORE = {
    "db": ("database", "running", "always"),
    "web": ("shop-web-1", "running", "on-failure"),
    "job": ("shop-job-1", "exited", "no"),
}


class Killed(BaseException):
    """The deployer is gone: nothing of it runs any more."""


class Play:
    """An adoption whose steps act on the played droplet; `fault(step, moment)` may raise at any of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, droplet: PlayedDroplet) -> None:
        self.droplet, self.home = droplet, played_target(droplet, "home")
        self.green = ColourDroplets("green", "shop", (played_target(droplet, "green"),))
        self.release, self.active, self.asked = adopted_release(), (), []
        self.fault = lambda *_where: None
        self.answer = lambda: None
        self.monkeypatch = monkeypatch
        for name in ("read_old_project", "make_adoption_plan", "stop_old_project", "copy_state", "remove_old_project"):
            monkeypatch.setattr(steps, name, getattr(steps, name).fn)
        self._patch_flow()

    def _patch_flow(self) -> None:
        set_ = self.monkeypatch.setattr
        for name in ("read_old_project", "make_adoption_plan", "remove_old_project"):
            set_(flow, name, getattr(steps, name))
        set_(flow, "stop_old_project", self._step("stopped", steps.stop_old_project))
        set_(flow, "copy_state", self._step("copied", steps.copy_state))
        set_(flow, "keep_marker", self._keep)
        set_(flow, "load_colours", lambda *_: {"green": self.green})
        set_(flow, "load_registry", lambda _: None)
        set_(flow, "fetch_release", self._fetch)
        set_(flow, "pull_ahead", lambda *_: self.fault("pull", "before"))
        set_(flow, "table", lambda *_: None)
        set_(flow, "ask_for_approval", self._ask)
        set_(flow, "rollback_on_failure", lambda _: contextlib.nullcontext(SimpleNamespace(armed=False)))
        set_(flow, "deploy_release", self._deploy)
        set_(flow, "validate", lambda **_: None)
        set_(flow, "read_states", lambda _: [])
        set_(flow, "prepare_switch", lambda _: None)
        set_(flow, "finish_switch", lambda _: None)
        set_(flow, "read_switch", lambda _: SimpleNamespace(active=self.active))
        set_(flow, "probe_switch", self._step("adopted", lambda *_: None))
        set_(flow, "move_traffic", self._step("adopted", self._move))

    def _step(self, step, work):
        def played(*args, **more):
            self.fault(step, "before")
            work(*args, **more)
            self.fault(step, "after")

        return played

    def _keep(self, lock, target, marker):
        steps.keep_marker(lock, target, marker)
        self.fault(marker.step, "marked")

    def _fetch(self, stack, tag, registry, settings, *, droplets, digest):
        assert (stack, tag, droplets) == ("shop", "v1", ["prod/home", "prod/green"])
        return SimpleNamespace(release=self.release, digest=DIGEST)

    def _ask(self, question, what, timeout):
        self.asked.append(question)
        self.answer()

    def _deploy(self, droplet, fetched, *, role, **more):
        assert role == {"home": "home", "green": "colour"}[droplet.part]
        services = ("db",) if role == "home" else ("web", "job")
        self._step(droplet.part, lambda: self.droplet.starts(f"shop-{droplet.part}", *services))()

    def _move(self, switch, to, left, seen, why, settings):
        self.active = (to.colour,)

    def adopt(self, *, asks=False):
        return flow._adopt(self.home, SimpleNamespace(max_seconds=0), "shop", "v1", None, None, asks, 0.0)


@pytest.fixture
def play(monkeypatch, tmp_path) -> Play:
    return Play(monkeypatch, make_droplet(tmp_path))


def stands_as_before(play: Play) -> None:
    droplet = play.droplet
    assert droplet.of("shop") == BEFORE
    assert droplet.running() == {"database", "shop-web-1", "billing-other-1"}
    assert not droplet.marker.exists()
    assert (droplet.source / "uploads/a").read_text() == "first"
    assert set(droplet.held["volumes"]) == {"shop_db"}


def stands_adopted(play: Play) -> None:
    droplet = play.droplet
    assert droplet.running() == {"shop-home-db-1", "shop-green-web-1", "shop-green-job-1", "billing-other-1"}
    assert droplet.of("shop") == {
        "db": ("database.before-adoption", "exited", "no"),
        "web": ("shop-web-1", "exited", "no"),
        "job": ("shop-job-1", "exited", "no"),
    }
    assert {state for *_, state in droplet.of("shop-home").values()} == {"always"}
    marker = read_marker(droplet.marker.read_text())
    assert (marker.step, marker.project, marker.tag, marker.digest) == ("adopted", "shop", "v1", DIGEST)
    assert (droplet.source / "uploads/a").read_text() == "first"
    assert (Path(play.home.directory.shared) / "uploads/a").read_text() == "first"
    assert play.active == ("green",)


def at(step: str, moment: str, error: BaseException):
    def fault(now: str, when: str) -> None:
        if (now, when) == (step, moment):
            raise error

    return fault


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
    assert not [asked for asked in play.droplet.held["asked"] if asked.startswith(("stop", "start", "update"))]


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
    hooks.undo_adoption_after_crash(None, SimpleNamespace(parameters={"stack": "shop"}), None)
    if (step, moment) == ("adopted", "marked"):
        stands_adopted(play)
    else:
        stands_as_before(play)


def test_a_second_adoption_changes_nothing_and_says_so(play):
    play.adopt()
    held = {key: value for key, value in play.droplet.held.items() if key != "asked"}
    again = play.adopt()
    assert (again.done, again.notes) == ("nothing", ("shop is adopted already, as release v1. Nothing was changed",))
    assert {key: value for key, value in play.droplet.held.items() if key != "asked"} == held


def test_the_way_back_later_says_what_stays_in_the_new_place(play):
    play.adopt()
    play.droplet.starts("shop-blue", "web")
    undone = flow._undo(play.home, 0.0)
    stands_as_before(play)
    assert undone.done == "undone"
    assert "What was written since to uploads in " in undone.notes[0]
    assert play.droplet.of("shop-blue") == {"web": ("shop-blue-web-1", "exited", "no")}
    assert flow._undo(play.home, 0.0).done == "nothing"


def test_what_was_written_at_home_before_a_way_back_goes_aside_and_is_not_lost(play, caplog):
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
    assert play.droplet.held["networks"] == {}
    assert set(play.droplet.held["volumes"]) == {"shop_db"}
    assert play.droplet.running() == {"shop-home-db-1", "shop-green-web-1", "shop-green-job-1", "billing-other-1"}
    assert not [asked for asked in play.droplet.held["asked"] if asked.startswith(("rm --volumes", "volume rm"))]
    assert flow._finish(play.home, True, 0.0).done == "nothing"
    assert play.adopt().notes == ("shop does not run: the stack runs in two colours already. Nothing was changed",)


def test_a_network_that_something_uses_stays_and_is_told(play):
    play.adopt()
    held = play.droplet.held
    next(iter(held["networks"].values()))["used"] = True
    play.droplet.hold(held)
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
    assert play.droplet.running() == {"database", "billing-other-1"}
    assert play.droplet.marker.exists()


def test_a_way_back_that_fails_is_told_below_what_happened(play, monkeypatch):
    play.fault = at("home", "before", DeployFailed("it broke"))
    monkeypatch.setattr(steps, "restore_script", lambda _: "exit 7")
    with pytest.raises(DeployFailed, match=r"(?s)it broke\nThe way back did not succeed either.*slipway adopt --undo"):
        play.adopt()
    assert play.droplet.marker.exists()


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
        held = play.droplet.held
        more = entry("web", name="shop-web-2")
        held["containers"][more["Id"]] = more
        play.droplet.hold(held)

    play.answer = meanwhile
    with pytest.raises(PlanChanged):
        play.adopt(asks=True)
    assert play.droplet.of("shop")["db"] == BEFORE["db"]
    assert not play.droplet.marker.exists()


def test_the_edge_gets_the_ports_of_the_web_and_gives_them_back(play):
    held = play.droplet.held
    web = entry("web")["Id"]
    held["containers"][web]["HostConfig"]["PortBindings"] = {"80/tcp": [{"HostPort": "80"}]}
    edge = entry("caddy", "slipway-edge", state="exited")
    held["containers"][edge["Id"]] = edge
    play.droplet.hold(held)
    play.adopt()
    assert "slipway-edge-caddy-1" in play.droplet.running()
    flow._undo(play.home, 0.0)
    stands_as_before(play)


def test_a_data_home_elsewhere_is_refused(play):
    object.__setattr__(play.home, "settings", play.home.settings.model_copy(update={"home": "data"}))
    with pytest.raises(CannotAdopt, match="SLIPWAY_HOME=prod"):
        play.adopt()
    stands_as_before(play)
