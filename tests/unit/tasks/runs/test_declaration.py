"""No error leaves a flow or a task with a secret in it, whoever's error it is."""

import ast
import asyncio
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from prefect.states import exception_to_crashed_state, exception_to_failed_state

from blocks.errors import RemoteFailed
from flows.core.errors import BuildFailed
from flows.settings.choice import CommitFile, chosen, current_choice
from flows.tasks.runs import log_masking
from flows.tasks.runs.declaration import flow, note_change, task
from flows.tasks.runs.log_masking import Masked, register_secrets

pytestmark = pytest.mark.unit
SECRET = "hunter2-4711"
REQUEST = httpx.Request("GET", "https://api.example", headers={"Authorization": f"Bearer {SECRET}"})
ANSWER = httpx.Response(500, text=SECRET, request=REQUEST)
ERRORS = {
    "KeyError": lambda: KeyError(SECRET),
    "OSError": lambda: OSError(2, "No such file", f"/run/{SECRET}"),
    "TimeoutError": lambda: TimeoutError(f"waited for {SECRET}"),
    "ConnectError": lambda: httpx.ConnectError(f"no {SECRET}", request=REQUEST),
    "HTTPStatusError": lambda: httpx.HTTPStatusError("500", request=REQUEST, response=ANSWER),
    "ExceptionGroup": lambda: ExceptionGroup("both", [ValueError(SECRET)]),
    "RemoteFailed": lambda: RemoteFailed(f"exit 1: {SECRET}", 1, SECRET),
}


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_masking, "_mask", type(log_masking._mask)())
    register_secrets([SECRET])


def raised(declare: Callable, error: Exception) -> Exception:
    @declare(name="fails")
    def fails() -> None:
        raise error

    try:
        fails.fn()
    except Exception as left:
        return left
    raise AssertionError("it did not fail")


@pytest.mark.parametrize("declare", [flow, task], ids=["flow", "task"])
@pytest.mark.parametrize("make", ERRORS.values(), ids=ERRORS)
def test_what_prefect_keeps_of_an_error_holds_no_secret(declare: Callable, make: Callable[[], Exception]):
    left = raised(declare, make())
    states = [asyncio.run(state(left)) for state in (exception_to_failed_state, exception_to_crashed_state)]
    told = [*(state.message or "" for state in states), repr(left), *traceback.format_exception(left)]
    assert [text for text in told if SECRET in text] == []
    assert SECRET.encode() not in pickle.dumps(left)


def test_an_error_keeps_its_kind_where_it_can_be_rid_of_the_secret():
    assert isinstance(raised(task, KeyError(SECRET)), KeyError)
    assert isinstance(raised(task, httpx.ReadTimeout(SECRET, request=REQUEST)), httpx.ReadTimeout)
    found = raised(flow, OSError(2, "No such file", f"/run/{SECRET}"))
    assert isinstance(found, Masked)
    assert str(found) == "FileNotFoundError: [Errno 2] No such file: '/run/••••'"


def test_what_a_server_answered_is_known_still_and_nothing_of_its_words():
    left = raised(flow, httpx.HTTPStatusError("503", request=REQUEST, response=httpx.Response(503, text=SECRET)))
    assert isinstance(left, httpx.HTTPStatusError)
    assert (left.response.status_code, left.response.content, dict(left.response.headers)) == (503, b"", {})


def test_an_error_without_a_secret_is_left_as_it_is():
    for error in (
        BuildFailed("the build failed"),
        OSError(2, "No such file", "a"),
        ExceptionGroup("two", [ValueError("b")]),
    ):
        assert raised(flow, error).args == error.args
        assert type(raised(task, error)) is type(error)


def test_every_flow_and_task_is_declared_so():
    code = {path: ast.parse(path.read_text()) for path in Path(flow.__code__.co_filename).parents[2].rglob("*.py")}
    theirs = [
        path.name
        for path, tree in code.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "prefect"
        and {one.name for one in node.names} & {"flow", "task"}
    ]  # fmt: skip
    assert len(code) > 100
    assert theirs == []


class Kept:
    """An overview that remembers for what it was kept."""

    def __init__(self) -> None:
        self.told: list[tuple[str, bool]] = []

    def __call__(self, stack: str, asking: bool) -> None:
        self.told.append((stack, asking))


def test_the_outermost_run_keeps_the_overview_once_for_each_stack_whatever_its_end():
    kept = Kept()

    @flow(name="inner", overview=kept)
    def inner() -> None:
        note_change("shop")
        note_change("shop")
        note_change("other")
        raise BuildFailed("no")

    @flow(name="outer", overview=kept)
    def outer() -> None:
        try:
            inner.fn()
        finally:
            assert kept.told == []

    with pytest.raises(BuildFailed):
        outer.fn()
    assert kept.told == [("shop", False), ("other", False)]
    note_change("shop")  # no run is there that keeps one
    assert len(kept.told) == 2


def test_an_overview_is_kept_by_the_settings_of_what_changed():
    """A release reads the settings of its commit, which nobody reads any more once it is over."""
    commit = CommitFile("shop", "main", "c" * 40, "slipway.toml", "", "/srv/slipway.toml")
    seen = []

    @flow(name="releases", overview=lambda _stack, _asking: seen.append(current_choice()))
    def releases() -> None:
        with chosen("staging", "shop", commit):
            note_change("shop")

    releases.fn()
    assert [(one.destination, one.commit) for one in seen] == [("staging", commit)]
    assert current_choice().commit is None


def test_a_question_is_in_the_overview_at_once():
    kept = Kept()

    @flow(name="asks", overview=kept)
    def asks() -> None:
        note_change("shop", now=True, asking=True)
        assert kept.told == [("shop", True)]

    asks.fn()
    assert kept.told == [("shop", True), ("shop", False)]


def test_a_run_that_changes_nothing_or_is_cancelled_keeps_none():
    kept = Kept()

    @flow(name="looks", overview=kept)
    def looks(stop: bool) -> None:
        if stop:
            note_change("shop")
            raise KeyboardInterrupt

    looks.fn(False)
    with pytest.raises(KeyboardInterrupt):
        looks.fn(True)
    assert kept.told == []


def test_an_overview_that_fails_fails_no_run(caplog: pytest.LogCaptureFixture):
    def broken(_stack: str, _asking: bool) -> None:
        raise OSError(f"no way to {SECRET}")

    @flow(name="changes", overview=broken)
    def changes() -> str:
        note_change("shop")
        return "done"

    with caplog.at_level("WARNING", "prefect.slipway.hooks"):
        assert changes.fn() == "done"
    assert [one.message for one in caplog.records] == ["the overview of shop was not written: OSError: no way to ••••"]
