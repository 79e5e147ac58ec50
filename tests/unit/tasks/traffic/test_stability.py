"""A promotion that waits until the active release was stable: refused before anything changes, where wanted."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from flows.core.errors import NotStable, Refused
from flows.core.records.history import History
from flows.settings import Settings
from flows.tasks.traffic import stability
from flows.tasks.traffic.colours import ColourDroplets
from tests.support.builders import record

pytestmark = pytest.mark.unit
WAITS = Settings(promote_when_stable=True)


def green(monkeypatch, *days: float) -> ColourDroplets:
    """The colour, with releases that began so many days ago; nobody may ask it where none are given."""
    told = [
        record(n, f"v{n}", began=(datetime.now(UTC) - timedelta(days=d)).isoformat()) for n, d in enumerate(days, 1)
    ]
    monkeypatch.setattr(stability, "load_history", lambda *_: History(tuple(told)) if told else pytest.fail("asked"))
    return ColourDroplets("green", "shop", (SimpleNamespace(name="green", directory="d", connected=nullcontext),))


def test_a_release_that_is_too_young_is_refused_with_the_reason_and_the_way_on(monkeypatch):
    with pytest.raises(
        NotStable, match=r"green \(green\) was not stable: it runs for 2\.0 days, wanted are 7"
    ) as error:
        stability.refuse_unstable(green(monkeypatch, 30, 2), WAITS)
    assert "Nothing was changed" in str(error.value)
    assert isinstance(error.value, Refused)


def test_one_that_held_for_long_enough_is_not(monkeypatch):
    assert stability.refuse_unstable(green(monkeypatch, 30, 8), WAITS) is None


def test_nobody_is_asked_where_it_is_not_wanted_or_traffic_goes_nowhere_yet(monkeypatch):
    assert stability.refuse_unstable(green(monkeypatch), Settings()) is None
    assert stability.refuse_unstable(None, WAITS) is None


def test_a_rehearsal_takes_its_condition_from_the_same_function(monkeypatch):
    targets = green(monkeypatch, 3).targets
    found = stability.active_stability(targets, Settings(rehearse_days=2))
    assert (found.stable, found.release) == (True, "v1")
    assert not stability.active_stability(targets, Settings(rehearse_days=4)).stable
