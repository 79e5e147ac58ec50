"""What has to be done is done, whether or not the Prefect server takes a run of it."""

import httpx
import pytest

from flows.tasks.runs import server
from flows.tasks.runs.server import run_as_flow_or_plain

pytestmark = pytest.mark.unit
REQUEST = httpx.Request("POST", "http://127.0.0.1:9/api/flow_runs/")
GONE = httpx.ConnectError("no route", request=REQUEST)
REFUSED = httpx.HTTPStatusError("401", request=REQUEST, response=httpx.Response(401, request=REQUEST))


@pytest.mark.parametrize("error", [GONE, REFUSED], ids=["it went away", "it refuses our login by now"])
def test_it_is_done_without_a_run(error, monkeypatch):
    monkeypatch.setattr(server, "server_answers", lambda: True)

    def as_flow():
        raise error

    assert run_as_flow_or_plain(as_flow, lambda: "done") == "done"


def test_what_went_wrong_in_it_is_not_done_again(monkeypatch):
    monkeypatch.setattr(server, "server_answers", lambda: True)

    def as_flow():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_as_flow_or_plain(as_flow, lambda: "done")
