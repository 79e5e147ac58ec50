"""An answer is given to a waiting run: taken once its state has changed, or an error that says why not."""

from contextlib import contextmanager
from types import SimpleNamespace
from uuid import uuid4

import pytest

from flows.core.errors import BadAnswer, NothingToApprove
from flows.tasks.traffic import approval_answers
from flows.tasks.traffic.approval_answers import Waiting, give

pytestmark = pytest.mark.unit
RUN = Waiting(uuid4(), "promote shop v2", "Go on?")


class Client:
    """A Prefect server: the run's states as they are read, and whether it takes an answer."""

    def __init__(self, *states: str, status: str = "ACCEPT"):
        self.states, self.status, self.given = list(states), status, None

    def read_flow_run(self, _id):
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return SimpleNamespace(state=SimpleNamespace(id=state))

    def resume_flow_run(self, _id, run_input):
        self.given = run_input
        return SimpleNamespace(status=SimpleNamespace(value=self.status), details=SimpleNamespace(reason="it is over"))


@pytest.fixture
def server(monkeypatch):
    def use(client: Client) -> Client:
        @contextmanager
        def get_client(sync_client):
            yield client

        monkeypatch.setattr(approval_answers, "get_client", get_client)
        monkeypatch.setattr(approval_answers, "_PAUSE", 0.0)
        return client

    return use


def test_an_answer_counts_when_the_run_has_gone_on(server):
    client = server(Client("paused", "paused", "paused", "running"))
    run, answer = give(RUN, "approve", "Ada", "looks good")
    assert (run, answer.decision, answer.words) == (RUN, "approve", "Ada: looks good")
    assert client.given == {"decision": "approve", "name": "Ada", "reason": "looks good"}


def test_an_answer_that_is_not_taken_in_time_is_an_error(server, monkeypatch):
    monkeypatch.setattr(approval_answers, "_PATIENCE", 0.01)
    server(Client("paused"))
    with pytest.raises(BadAnswer, match="did not take this answer for promote shop v2; it still waits"):
        give(RUN, "approve", "Ada", "looks good")


def test_a_run_that_went_on_takes_no_answer(server):
    server(Client("paused", status="REJECT"))
    with pytest.raises(NothingToApprove, match="took no answer any more: it is over"):
        give(RUN, "hold", "Ada", "later")


@pytest.mark.parametrize(("name", "reason", "wrong"), [("", "x", "name"), ("Ada", " ", "reason")])
def test_who_and_why_are_wanted(server, name, reason, wrong):
    client = server(Client("paused"))
    with pytest.raises(BadAnswer, match=f"wrong: {wrong}"):
        give(RUN, "approve", name, reason)
    assert client.given is None
