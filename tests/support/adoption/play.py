"""An adoption that is played on a droplet of a test: each of its steps may fail, or be where the deployer is killed."""

import contextlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from flows import adopt as flow
from flows.core.traffic.adoption.marker import read_adoption_marker
from flows.tasks.traffic import adoption as steps
from flows.tasks.traffic.colours import ColourDroplets
from tests.support.adoption.droplet import DIGEST, PlayedDroplet, adopted_release, played_target

# A step is done, and its marker is written or is not yet: every state that a droplet can be left in.
KILLS = [
    ("begun", "marked"),
    *((step, moment) for step in ("stopped", "copied", "home", "green", "adopted") for moment in ("after", "marked")),
]
FAILURES = [("stopped", "before"), *KILLS]
EDGE = "slipway-edge-caddy-1"
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

    def _ask(self, question, what, timeout, **_about):
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


def stands_as_before(play: Play) -> None:
    droplet = play.droplet
    assert droplet.of("shop") == BEFORE
    assert droplet.running() == {"database", "shop-web-1", "billing-other-1", EDGE}
    assert not droplet.marker.exists()
    assert (droplet.source / "uploads/a").read_text() == "first"
    assert set(droplet.engine.volumes) == {"shop_db"}


def stands_adopted(play: Play) -> None:
    droplet = play.droplet
    assert droplet.running() == {"shop-home-db-1", "shop-green-web-1", "shop-green-job-1", "billing-other-1", EDGE}
    assert droplet.of("shop") == {
        "db": ("database.before-adoption", "exited", "no"),
        "web": ("shop-web-1", "exited", "no"),
        "job": ("shop-job-1", "exited", "no"),
    }
    assert {state for *_, state in droplet.of("shop-home").values()} == {"always"}
    marker = read_adoption_marker(droplet.marker.read_text())
    assert (marker.step, marker.project, marker.tag, marker.digest) == ("adopted", "shop", "v1", DIGEST)
    assert (droplet.source / "uploads/a").read_text() == "first"
    assert (Path(play.home.directory.shared) / "uploads/a").read_text() == "first"
    assert play.active == ("green",)


def at(step: str, moment: str, error: BaseException):
    def fault(now: str, when: str) -> None:
        if (now, when) == (step, moment):
            raise error

    return fault
