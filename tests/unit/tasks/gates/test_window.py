"""Requests are counted since the first probe, however long the looks between them take."""

from types import SimpleNamespace

import pytest

from flows import gates
from flows.core.gates.metrics import Measured, Value
from flows.settings import Settings

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
