"""Emitting an event: what reaches the bus, and that a run goes on whatever comes of it."""

import pytest
from prefect.events import emit_event
from prefect.events.clients import AssertingEventsClient
from prefect.events.worker import EventsWorker
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.core.control.events import DEPLOY_FAILED, EVENT_KINDS, GATES_FAILED, LONGEST, PUBLISHED
from flows.tasks.runs import events
from flows.tasks.runs.events import emit, failure_emitted
from flows.tasks.runs.log_masking import register_secrets

pytestmark = pytest.mark.unit
NOWHERE = "http://127.0.0.1:9/api"


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch):
    """Calls of Prefect's own function, made with the address of a server that is not there."""
    said = []

    def remember(event, resource, related, payload):
        said.append((event, resource, related, payload))

    monkeypatch.setattr(events, "emit_event", remember)
    with temporary_settings({PREFECT_API_URL: NOWHERE}):
        yield said


def test_an_event_has_its_payload_and_its_resources(bus: list):
    emit(PUBLISHED, stack="shop", tag="v1", digest="sha256:1", run="7", by="me@here")
    ((name, resource, related, payload),) = bus
    assert (name, resource["slipway.tag"]) == ("slipway.release.published", "v1")
    assert [one["prefect.resource.role"] for one in related] == ["release", "flow-run"]
    assert {key: value for key, value in payload.items() if value} == {
        "version": 1, "stack": "shop", "tag": "v1", "digest": "sha256:1", "run": "7", "by": "me@here",
    }  # fmt: skip


def test_a_reason_is_masked_made_one_line_and_cut(bus: list):
    register_secrets(["hunter2-hunter2"])
    emit(GATES_FAILED, stack="shop", reason="it said\nhunter2-hunter2 " + "x" * 10_000)
    reason = bus[0][3]["reason"]
    assert "hunter2" not in reason
    assert "\n" not in reason
    assert len(reason) == LONGEST


def test_a_failure_is_told_once_and_raised_again(bus: list):
    with pytest.raises(ValueError, match="no room"), failure_emitted(DEPLOY_FAILED, stack="shop", tag="v1"):
        raise ValueError("no room")
    assert [(name, payload["reason"]) for name, _, _, payload in bus] == [
        ("slipway.deploy.failed", "ValueError: no room")
    ]


def test_what_does_not_fail_tells_nothing(bus: list):
    with failure_emitted(DEPLOY_FAILED, stack="shop"):
        pass
    assert bus == []


def test_an_interrupt_is_left_to_the_hooks(bus: list):
    with pytest.raises(KeyboardInterrupt), failure_emitted(DEPLOY_FAILED, stack="shop"):
        raise KeyboardInterrupt
    assert bus == []


def test_nothing_is_emitted_without_a_server(bus: list):
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        emit(PUBLISHED, stack="shop")
    assert bus == []


def test_whatever_the_bus_raises_the_run_goes_on(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    def broken(*_args, **_kwargs):
        raise RuntimeError("the bus is down")

    monkeypatch.setattr(events, "emit_event", broken)
    events._tell_once.cache_clear()
    with temporary_settings({PREFECT_API_URL: NOWHERE}), caplog.at_level("DEBUG", "prefect.slipway.events"):
        emit(PUBLISHED, stack="shop")
        emit(PUBLISHED, stack="shop")
    assert [record.levelname for record in caplog.records if "events are not emitted" in record.message] == ["DEBUG"]


def test_prefects_own_function_takes_every_kind(monkeypatch: pytest.MonkeyPatch):
    taken = []
    monkeypatch.setattr(EventsWorker, "send", lambda _self, event: taken.append(event))
    monkeypatch.setattr(EventsWorker, "_client_override", (AssertingEventsClient, ()))
    monkeypatch.setattr(events, "emit_event", emit_event)
    with temporary_settings({PREFECT_API_URL: NOWHERE}):
        for kind in EVENT_KINDS:
            emit(kind, stack="shop", **dict.fromkeys(kind.fields, "x" * 600))
    assert [event.event for event in taken] == [kind.name for kind in EVENT_KINDS]
