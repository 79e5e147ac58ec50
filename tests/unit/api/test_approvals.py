"""Runs that wait for a person, by Prefect's API: found, shown with their question, and answered."""

import json
from contextlib import contextmanager

import pytest

from flows.api import approvals
from flows.api.approvals import Waiting, find_waiting, give_answer, list_waiting
from flows.api.client import PrefectApi
from flows.api.connection import ApiConnection
from flows.core.errors import BadAnswer, NothingToApprove
from tests.support.http_server import Says, serving

pytestmark = pytest.mark.unit

ID = "00000000-0000-0000-0000-00000000000{}".format
RUN = Waiting(ID(1), "promote shop v2", "Go on?")


class Prefect:
    """A Prefect with runs that wait; the state of the first one as it is read, and whether it takes an answer."""

    def __init__(self, *states: str, status: str = "ACCEPT", waiting: int = 1, details: object = None) -> None:
        self.states, self.status, self.details = [*states] or ["1"], status, details or {"reason": "it is over"}
        self.waiting = [self._run(number, "1") for number in range(1, waiting + 1)]
        self.given = None

    @staticmethod
    def _run(number: int, state: str) -> dict:
        keys = {"description": "d-1"}
        said = {"id": ID(state), "name": "Paused", "type": "PAUSED", "state_details": {"run_input_keyset": keys}}
        return {"id": ID(number), "name": f"promote shop v{number + 1}", "state": said}

    def __call__(self, asked):
        path = asked.path.removeprefix("/api")
        if path == "/flow_runs/filter":
            which = asked.json()["flow_runs"]
            ended = {"id": ID(9), "name": "gone", "state": {"id": ID(9), "name": "Completed"}}
            return Says(200, self.waiting if "state" in which else [ended])
        if path.endswith("/input/d-1"):
            return Says(200, json.dumps("Go on?").encode())
        if path.endswith("/resume"):
            self.given = asked.json()["run_input"]
            return Says(200, {"status": self.status, "details": self.details})
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return Says(200, self._run(1, state))


@contextmanager
def asked(prefect: Prefect):
    with serving(prefect) as there, PrefectApi(ApiConnection(f"{there.url}/api"), pause=lambda _s: None) as api:
        yield api


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(approvals, "_PAUSE", 0.0)


def test_the_only_run_that_waits_is_found_with_its_question():
    with asked(Prefect()) as api:
        found = find_waiting(api, None)
        assert (found.name, found.question) == ("promote shop v2", "Go on?")
        assert find_waiting(api, "promote shop v2") == find_waiting(api, ID(1)) == found


def test_of_several_one_has_to_be_named_and_all_are_listed():
    with asked(Prefect(waiting=2)) as api:
        with pytest.raises(NothingToApprove, match=r"These wait: 'promote shop v2' .*, 'promote shop v3'"):
            find_waiting(api, None)
        assert [one.name for one in list_waiting(api)] == ["promote shop v2", "promote shop v3"]


def test_one_that_does_not_wait_is_told_with_what_became_of_it():
    with asked(Prefect(waiting=0)) as api, pytest.raises(NothingToApprove, match=r"gone does not wait .*: it is compl"):
        find_waiting(api, "gone")


def test_an_answer_counts_when_the_run_has_gone_on():
    prefect = Prefect("1", "1", "1", "2")
    with asked(prefect) as api:
        answer = give_answer(api, RUN, "approve", " Ada ", "looks good")
    assert (answer.decision, answer.words) == ("approve", "Ada: looks good")
    assert prefect.given == {"decision": "approve", "name": "Ada", "reason": "looks good"}


def test_an_answer_that_is_not_taken_in_time_is_an_error(monkeypatch):
    monkeypatch.setattr(approvals, "_PATIENCE", 0.01)
    with asked(Prefect("1")) as api, pytest.raises(BadAnswer, match="did not take this answer for promote shop v2"):
        give_answer(api, RUN, "approve", "Ada", "looks good")


def test_a_run_that_went_on_takes_no_answer():
    over = pytest.raises(NothingToApprove, match="took no answer any more: it is over")
    with asked(Prefect(status="REJECT")) as api, over:
        give_answer(api, RUN, "hold", "Ada", "later")


@pytest.mark.parametrize(("name", "reason", "wrong"), [("", "x", "name"), ("Ada", " ", "reason")])
def test_who_and_why_are_wanted(name, reason, wrong):
    prefect = Prefect()
    with asked(prefect) as api, pytest.raises(BadAnswer, match=f"wrong: {wrong}"):
        give_answer(api, RUN, "approve", name, reason)
    assert prefect.given is None
