"""What else meets a colour that is asleep: reconcile, validate, status, gates, and the memory before a promotion."""

import logging
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from flows import reconcile, status, validate
from flows.core.droplet.directories import StackDirectory
from flows.core.errors import ColourAsleep, NotEnoughMemory
from flows.core.results import Reconciled
from flows.tasks.insight import droplets
from flows.tasks.traffic import memory
from tests.support.builders import past, record, stack
from tests.support.droplets.fake_colour import make_colour

pytestmark = pytest.mark.unit
ENDED = {"web": "exited", "tool": "exited", "job": "exited"}


@pytest.fixture
def green(tmp_path, monkeypatch):
    """A colour that is asleep."""
    made = make_colour(tmp_path, monkeypatch)
    made.put(**ENDED)
    made.mark_asleep("web", "tool")
    for module in (reconcile, memory):
        monkeypatch.setattr(module, "get_run_logger", lambda: logging.getLogger("test"))
    return made


@pytest.fixture
def settled(monkeypatch):
    """What was settled, and restored."""
    done = []
    monkeypatch.setattr(reconcile, "settle_sleep", lambda *_given: done.append("settled") or ("left", "it sleeps"))
    monkeypatch.setattr(reconcile, "restore", lambda *given: done.append(given[-1]) or SimpleNamespace(release=RELEASE))
    monkeypatch.setattr(reconcile, "validate", lambda **_given: done.append("validated"))
    return done


RELEASE = SimpleNamespace(tag="v1")


def recover(green, monkeypatch, *records) -> Reconciled:
    monkeypatch.setattr(reconcile, "load_history", lambda *_: past(*records, current="v1.0"))
    return reconcile._recover(green.target, green.target)


def test_reconcile_restores_nothing_that_is_asleep(green, monkeypatch, settled):
    assert recover(green, monkeypatch, record(1, "v1")) == Reconciled("one/green", "left", "it sleeps")
    assert settled == ["settled"]


def test_without_the_marker_what_is_stopped_is_a_fault(green, monkeypatch, settled):
    green.marker.unlink()
    recover(green, monkeypatch, record(1, "v1"))
    assert settled == ["what runs is not release v1: web is exited"]


def test_a_marker_of_another_release_excuses_nothing(green, monkeypatch, settled):
    green.mark_asleep("web", name="v0.0")
    recover(green, monkeypatch, record(1, "v1"))
    assert settled == ["what runs is not release v1: web is exited"]


def test_a_release_that_failed_is_rolled_back_though_it_is_asleep(green, monkeypatch, settled):
    failed = record(2, "v2").model_copy(update={"outcome": record(1, "v1").outcome.FAILED})
    recover(green, monkeypatch, record(1, "v1"), failed)
    assert settled == ["deploy 2 of v2 failed: back to v1"]


def test_validate_and_gates_say_that_it_sleeps_and_how_to_wake_it(green):
    with pytest.raises(ColourAsleep) as error:
        validate.read_running_release(green.target, green.target)
    said = str(error.value)
    assert "is asleep since 2026-05-04T12:00:00+00:00: its containers are stopped until traffic comes back" in said
    assert "slipway switch-back" in said
    assert "slipway deploy --tag TAG --droplet one/green" in said
    assert error.value.exit_code == 2


def test_one_that_is_awake_is_validated(green):
    green.marker.unlink()
    found, _probes, _history = validate.read_running_release(green.target, green.target)
    assert found.tag == "v1"


@pytest.fixture
def look(green, monkeypatch):
    """What status says of it."""
    monkeypatch.setattr(droplets, "load_droplet", lambda _name: None)
    saved = SimpleNamespace(session=lambda _patience: nullcontext(green.target))
    monkeypatch.setattr(type(green.target), "droplet", saved)
    monkeypatch.setattr(droplets.Target, "of", lambda *_given: green.target)
    monkeypatch.setattr(droplets, "active_colours", lambda _settings: (("blue",), {}))
    return lambda: droplets.read_droplets("shop", green.target.settings, ["one/green"])[0]["one/green"]


def test_status_shows_it_as_asleep(green, look):
    found = look()
    assert (found.asleep, found.release, found.active) == (True, "v1", False)
    assert status._rows({"one/green": found})[0]["active"] == "asleep"
    assert found.as_json()["asleep"] is True


@pytest.mark.parametrize("marked", [True, False], ids=["it runs beside its marker", "no marker"])
def test_status_shows_what_runs_or_failed_as_it_is(green, look, marked):
    if marked:
        green.put(**{**ENDED, "web": "running"})
    else:
        green.marker.unlink()
    assert look().asleep is False
    assert "asleep" not in look().as_json()


MEMORY = "\n".join([
    "@@slipway:memory", "MemTotal: 2000000 kB", "MemAvailable: {available} kB",
    "@@slipway:active containers", '{{"id": "a", "service": "web"}}',
    "@@slipway:active usage", '{{"ID": "a", "MemUsage": "500MB / 2GB"}}',
])  # fmt: skip


def check(available: int) -> str:
    answer = SimpleNamespace(out=MEMORY.format(available=available))
    session = SimpleNamespace(address="droplet one", run=lambda _script, **_options: answer)
    return memory.check_memory.fn(session, stack({"web": {}}), "shop-green", "shop-blue")


def test_memory_for_two_colours_is_told_or_refused(green):
    assert check(900_000).startswith("both colours need about 1,000 MB while the promotion lasts")
    with pytest.raises(NotEnoughMemory, match="droplet one has not the memory for two colours"):
        check(600_000)


def test_the_marker_lies_beside_the_releases():
    assert StackDirectory("/opt/slipway", "shop-green").asleep == "/opt/slipway/shop-green/asleep"
