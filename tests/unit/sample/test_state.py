"""What is kept: tasks are stored once, documents are found again, and an orchestrated task survives."""

import pytest

from tests.support.sample_in_process import Stack, client, module

pytestmark = pytest.mark.unit

EVERYTHING = "Build a flask endpoint, review it, document it, deploy to kubernetes with a gitlab pipeline"


@pytest.fixture(autouse=True)
def data_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setattr(module("orchestrator").asyncio, "sleep", _at_once)
    module("rag-context").index.cache_clear()
    yield
    module("rag-context").index.cache_clear()


async def _at_once(_seconds):
    """No test waits for a pause between tries."""


def test_a_repeated_write_is_stored_once():
    with client("state-persistence") as http:
        first = http.post("/tasks", json={"id": "t1", "n": 1})
        again = http.post("/tasks", json={"n": 1, "id": "t1"})
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json() == {**first.json(), "stored": False}
        assert http.get("/tasks").json() == {"count": 1, "tasks": ["t1"]}


def test_the_same_id_with_other_content_is_refused_and_the_first_is_kept():
    with client("state-persistence") as http:
        http.post("/tasks", json={"id": "t1", "n": 1})
        assert http.post("/tasks", json={"id": "t1", "n": 2}).status_code == 409
        assert http.get("/tasks/t1").json()["n"] == 1


def test_tasks_outlive_the_service():
    with client("state-persistence") as http:
        http.post("/tasks", json={"id": "t1", "n": 1})
    with client("state-persistence") as http:
        assert http.get("/tasks/t1").json()["n"] == 1
        assert http.get("/tasks/t2").status_code == 404


def test_orchestrate_calls_the_agents_it_planned_and_stores_what_they_gave():
    with client("orchestrator") as http:
        answer = http.post("/orchestrate", json={"description": EVERYTHING, "priority": "high"}).json()
    with client("state-persistence") as http:
        task = http.get(f"/tasks/{answer['task_id']}").json()
    assert set(answer["plan"]) == {"feature-dev", "code-review", "documentation", "infrastructure", "cicd"}
    assert (task["status"], task["priority"]) == ("completed", "high")
    assert "Flask" in task["results"]["feature-dev"]["code"]
    assert task["results"]["code-review"]["issues"] == []
    assert "post_" in task["results"]["documentation"]["documentation"]
    assert "kind: Deployment" in task["results"]["infrastructure"]["iac"]
    assert task["results"]["cicd"]["platform"] == "gitlab"


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("Deploy it with docker", ["infrastructure"]),
        ("Set up CI", ["cicd"]),
        ("Review the module", ["feature-dev", "code-review"]),
        ("hello", ["feature-dev", "code-review"]),
        ("Write a specification", ["feature-dev", "code-review"]),
    ],
)
def test_the_plan_follows_the_words(description, expected):
    assert module("orchestrator").plan(description) == expected


def test_a_repeated_orchestration_with_its_own_id_is_stored_once():
    asked = {"description": EVERYTHING, "priority": "low", "task_id": "mine"}
    with client("orchestrator") as http:
        answers = [http.post("/orchestrate", json=asked) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    with client("state-persistence") as http:
        assert http.get("/tasks").json() == {"count": 1, "tasks": ["mine"]}


def test_an_absent_agent_makes_the_task_partial_and_its_step_says_so():
    with client("orchestrator") as http:
        module("orchestrator").peers.transport = Stack(down=("cicd", "feature-dev"))
        answer = http.post("/orchestrate", json={"description": EVERYTHING}).json()
    assert (answer["status"], answer["failed"]) == ("partial", ["cicd", "code-review", "documentation", "feature-dev"])
    with client("state-persistence") as http:
        assert "cicd gave no answer" in http.get(f"/tasks/{answer['task_id']}").json()["results"]["cicd"]["error"]


def test_a_task_that_cannot_be_stored_is_not_answered_with_an_id():
    with client("orchestrator") as http:
        module("orchestrator").peers.transport = network = Stack(down=("state-persistence",))
        response = http.post("/orchestrate", json={"description": "Set up CI"})
    assert response.status_code == 502
    assert "state-persistence gave no answer" in response.json()["error"]
    assert network.asked.count("state-persistence") == 3


def test_search_ranks_a_rare_word_above_a_common_one():
    with client("rag-context") as http:
        for key, text in {"a": "mail today", "b": "zebra today", "c": "mail now"}.items():
            assert http.post("/documents", json={"id": key, "text": text}).status_code == 201
        found = http.post("/search", json={"query": "Mail, zebra!"}).json()["results"]
        assert [each["id"] for each in found] == ["b", "a", "c"]
        assert http.post("/search", json={"query": "mail zebra", "limit": 1}).json()["results"] == found[:1]
        assert http.post("/search", json={"query": "giraffe"}).json() == {"results": [], "documents": 3}


def test_documents_outlive_the_service_and_the_last_writing_counts():
    with client("rag-context") as http:
        http.post("/documents", json={"id": "a", "text": "old words"})
        http.post("/documents", json={"id": "a", "text": "new words"})
    module("rag-context").index.cache_clear()
    with client("rag-context") as http:
        found = http.post("/search", json={"query": "words"}).json()
    assert (found["documents"], found["results"][0]["excerpt"]) == (1, "new words")
