"""Giving way: which flows ask first, how such a run ends, and that no server is in the way of a run."""

from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import uuid4

import httpx
import pytest

from flows import build_push, promote, release
from flows.core.errors import GaveWay
from flows.settings import Settings
from flows.tasks.control import superseding
from flows.tasks.control.superseding import give_way

pytestmark = pytest.mark.unit
FLOWS = {"release": (release, release.release), "build-push": (build_push, build_push.build_push),
         "promote": (promote, promote.promote)}  # fmt: skip


@pytest.mark.parametrize(("module", "flow"), FLOWS.values(), ids=FLOWS)
def test_a_run_that_gives_way_ends_as_superseded_before_it_does_anything(module, flow, monkeypatch):
    def newer(_stack, _settings):
        raise GaveWay("superseded by release shop (7)")

    monkeypatch.setattr(module, "give_way", newer)
    state = flow.fn(stack="shop")
    assert (state.type.value, state.name, state.message) == (
        "CANCELLED",
        "Superseded",
        "superseded by release shop (7)",
    )


def a_run(**changed) -> SimpleNamespace:
    given = {"id": uuid4(), "deployment_id": uuid4(), "parent_task_run_id": None, "created": datetime.now(UTC)}
    given["parameters"] = {}
    return SimpleNamespace(**{**given, **changed})


NOT_ASKED = {
    "in a terminal": ({"deployment_id": None}, True),
    "part of another run": ({"parent_task_run_id": uuid4()}, True),
    "where the setting says no": ({}, False),
}


@pytest.mark.parametrize(("changed", "supersede"), NOT_ASKED.values(), ids=NOT_ASKED)
def test_a_run_asks_nobody(changed: dict, supersede: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(superseding, "get_client", lambda **_: pytest.fail("it asked"))
    within(monkeypatch, a_run(**changed))
    assert give_way("shop", Settings(supersede=supersede)) is None


def test_where_the_server_does_not_answer_the_run_goes_on(monkeypatch: pytest.MonkeyPatch):
    warned: list[str] = []

    def gone(**_):
        raise httpx.ConnectError("gone")

    monkeypatch.setattr(superseding, "get_client", gone)
    log = SimpleNamespace(warning=lambda words, *_: warned.append(words))
    monkeypatch.setattr(superseding, "get_run_logger", lambda: log)
    monkeypatch.setattr(superseding, "get_logger", lambda _: log)
    within(monkeypatch, a_run())
    give_way("shop", Settings())
    superseding.end_superseded(None, a_run(), None)
    assert warned == ["whether a newer run waits is not known: %s", "the queue was left as it is: %s"]


@pytest.mark.parametrize("flow", [flow for _, flow in FLOWS.values()], ids=FLOWS)
def test_a_run_that_ended_clears_the_queue_behind_it(flow):
    assert superseding.end_superseded in flow.on_completion_hooks
    assert superseding.end_superseded in flow.on_failure_hooks


def within(monkeypatch: pytest.MonkeyPatch, run: SimpleNamespace) -> None:
    context = SimpleNamespace(get=lambda: SimpleNamespace(flow_run=run))
    monkeypatch.setattr(superseding, "FlowRunContext", context)
