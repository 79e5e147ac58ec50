"""Tasks through the gateway: an acknowledged write is stored once, and what is told is what the store says."""

import httpx2
import pytest

from tests.support.sample_in_process import Stack, client, module, spans_of

pytestmark = pytest.mark.unit
STORE = "state-persistence"


@pytest.fixture(autouse=True)
def at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setattr("agents.common.peers.PAUSE_S", 0)


class Forgetful(Stack):
    """A network that loses the answer to the first request, after that has arrived."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = await super().handle_async_request(request)
        if len(self.asked) == 1:
            raise httpx2.ReadError("the answer was lost")
        return answer


def test_a_new_task_is_201_and_a_repeat_200_and_it_is_there_once():
    with client("gateway-mcp") as http:
        first = http.post("/api/tasks", json={"id": "t1", "n": 1})
        again = http.post("/api/tasks", json={"id": "t1", "n": 1})
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == {**again.json(), "stored": True}
        assert http.get("/api/tasks").json() == {"count": 1, "tasks": ["t1"]}
        assert http.get("/api/tasks/t1").json()["n"] == 1


def test_another_task_under_the_same_id_is_refused_in_the_stores_words():
    with client("gateway-mcp") as http:
        http.post("/api/tasks", json={"id": "t1", "n": 1})
        refused = http.post("/api/tasks", json={"id": "t1", "n": 2})
    assert refused.status_code == 409
    assert "already stored with other content" in refused.json()["error"]


def test_a_write_whose_answer_was_lost_is_sent_again_and_stored_once():
    with client("gateway-mcp") as http:
        module("gateway-mcp").peers.transport = network = Forgetful()
        assert http.post("/api/tasks", json={"id": "t1"}).status_code == 200
        assert network.asked == [STORE, STORE]
        assert http.get("/api/tasks").json()["count"] == 1


def test_a_task_that_was_not_stored_is_not_acknowledged():
    with client("gateway-mcp") as http:
        module("gateway-mcp").peers.transport = network = Stack(down=(STORE,))
        response = http.post("/api/tasks", json={"id": "t1"})
        assert (response.status_code, network.asked) == (502, [STORE] * 3)
        assert http.get("/api/tasks").status_code == 502


def test_an_unknown_task_is_404_and_a_strange_id_goes_no_further():
    with client("gateway-mcp") as http:
        missing = http.get("/api/tasks/t2")
        module("gateway-mcp").peers.transport = network = Stack()
        assert [http.get("/api/tasks/a%20b").status_code, http.post("/api/tasks", json={"n": 1}).status_code] == [
            422
        ] * 2
    assert (missing.status_code, network.asked) == (404, [])
    assert "there is no task 't2'" in missing.json()["error"]


def test_a_prefix_and_a_limit_choose_what_is_counted_and_listed():
    with client("gateway-mcp") as http:
        for key in ("load-1", "load-2", "loads", "other", "LOAD-3"):
            http.post("/api/tasks", json={"id": key})
        listed = http.get("/api/tasks", params={"prefix": "load-", "limit": 1}).json()
        assert (listed["count"], len(listed["tasks"])) == (2, 1)
        assert http.get("/api/tasks", params={"prefix": "%"}).json() == {"count": 0, "tasks": []}
        assert http.get("/api/tasks", params={"limit": 0}).status_code == 422


def test_a_stored_task_is_one_trace_into_the_store():
    with spans_of("gateway-mcp", STORE) as spans, client("gateway-mcp") as http:
        http.post("/api/tasks", json={"id": "t1"})
        done = spans.get_finished_spans()
    assert [span.name for span in done] == ["POST /tasks", "POST /api/tasks"]
    assert done[0].parent.span_id == done[1].context.span_id
