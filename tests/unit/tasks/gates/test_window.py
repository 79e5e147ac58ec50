"""Which looks the gates wait for, and which requests count meanwhile."""

from types import SimpleNamespace

import pytest

from flows import gates
from flows.core.errors import BlockMissing
from flows.core.gates.metrics import Measured, Value
from flows.core.gates.verdict import Verdict
from flows.settings import Settings
from tests.support.builders import release

pytestmark = pytest.mark.unit
COLOUR = SimpleNamespace(colour="blue", stack="shop", targets=())


@pytest.mark.parametrize(("home_takes", "counted"), [(0.0, 6.0), (4.5, 10.5)])
def test_a_slow_look_at_the_data_home_does_not_leave_fewer_requests(monkeypatch, home_takes, counted):
    now, asked = [100.0], []

    def pass_time(seconds, found):
        now[0] += seconds
        return found

    def read_metrics(_prometheus, _stack, _colours, seconds, _settings):
        asked.append(seconds)
        nothing = Value("", None)
        return {"blue": Measured(nothing, nothing, nothing)}

    monkeypatch.setattr(gates, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(gates, "generate_traffic", lambda _probes, until, _settings: pass_time(until - now[0], []))
    monkeypatch.setattr(gates, "_home", lambda *_: pass_time(home_takes, []))
    monkeypatch.setattr(gates, "load_langfuse", lambda _: None)
    monkeypatch.setattr(gates, "load_prometheus", lambda _: object())
    monkeypatch.setattr(gates, "read_metrics", read_metrics)
    monkeypatch.setattr(gates, "_publish_report", lambda *found: found)
    settings = Settings(gate_window=6.0)
    gates.read_gates(COLOUR, None, [], [], settings.gate_window, settings)
    assert asked == [counted]


def test_a_release_that_has_nothing_on_the_data_home_is_not_judged_by_it(monkeypatch):
    def no_home(**_words):
        raise BlockMissing("nobody has a data home")

    monkeypatch.setattr(gates.Target, "data_home", no_home)
    settings = Settings(home="data")
    stateless = SimpleNamespace(release=release())
    stateful = SimpleNamespace(release=release().model_copy(update={"home": ("store",)}))
    assert gates._home(COLOUR, [stateless, stateless], settings) == []
    for standings in ([stateful], [stateless, stateful], [SimpleNamespace(release=None)], []):
        (found,) = gates._home(COLOUR, standings, settings)
        assert found.verdict is Verdict.FAIL
