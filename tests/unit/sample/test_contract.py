"""What every service of the sample stack promises, asked by the probes that stand beside it in the compose file."""

import pytest

from tests.support.sample_in_process import COMPOSE, SERVICES, client

pytestmark = pytest.mark.unit

WORKFLOWS = {
    name: it["x-slipway"]["workflow"] for name, it in COMPOSE["services"].items() if "workflow" in it["x-slipway"]
}
POSTS = {name: it["post"] for name, it in WORKFLOWS.items() if "post" in it} | {
    "state-persistence": "/tasks",
    "rag-context": "/search",
}
BAD_BODIES = {
    "nothing": (b"", 400),
    "no JSON": (b"{", 400),
    "a list": (b"[1]", 400),
    "an empty object": (b"{}", 422),
    "an infinite number": (b'{"a": 1e999}', 400),
    "half a surrogate": (b'{"a": "\\ud800"}', 400),
    "bytes that are no text": (b'{"a": "\xff"}', 400),
    "a very deep list": (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
    "more than a megabyte": (b'{"a": "' + b"x" * 1_100_000 + b'"}', 413),
}


@pytest.fixture(autouse=True)
def data_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))


@pytest.mark.parametrize("service", SERVICES)
def test_health_names_the_service_and_its_release(service):
    with client(service) as http:
        assert http.get("/health").json() == {"status": "ok", "service": service, "release": "dev"}


@pytest.mark.parametrize("service", WORKFLOWS)
def test_the_workflow_in_the_compose_file_gives_the_field_it_expects(service):
    asked = WORKFLOWS[service]
    with client(service) as http:
        response = http.get(asked["get"]) if "get" in asked else http.post(asked["post"], json=asked["body"])
    assert response.status_code == 200
    assert response.json()[asked["expect"]]


@pytest.mark.parametrize("service", SERVICES)
def test_metrics_count_and_time_requests_by_route(service):
    with client(service) as http:
        http.get("/health")
        http.get("/invented/by/the/caller")
        shown = http.get("/metrics").text
    assert 'http_requests_total{method="GET",path="/health",status="200"}' in shown
    assert 'http_request_duration_seconds_count{method="GET",path="/health"}' in shown
    assert 'http_requests_total{method="GET",path="other",status="404"}' in shown
    assert "invented" not in shown


@pytest.mark.parametrize("bad", BAD_BODIES)
@pytest.mark.parametrize("service", POSTS)
def test_a_bad_body_is_refused_with_a_sentence(service, bad):
    body, status = BAD_BODIES[bad]
    with client(service) as http:
        response = http.post(POSTS[service], content=body)
    assert response.status_code == status
    assert response.json()["error"]


@pytest.mark.parametrize(
    ("service", "body"),
    [
        ("feature-dev", {"feature": "x", "framework": "cobol"}),
        ("feature-dev", {"feature": "!!!"}),
        ("feature-dev", {"feature": 7}),
        ("code-review", {"code": "x", "language": "cobol"}),
        ("code-review", {"code": ["x"]}),
        ("infrastructure", {"service": "No Spaces!", "platform": "kubernetes"}),
        ("infrastructure", {"service": "a", "platform": "mainframe"}),
        ("infrastructure", {"service": "a", "port": 70000}),
        ("infrastructure", {"service": "a", "port": True}),
        ("cicd", {"platform": "cron", "language": "python"}),
        ("documentation", {"code": "def f(:", "format": "markdown"}),
        ("documentation", {"code": "x = 1", "format": "pdf"}),
        ("orchestrator", {"description": "x", "priority": "yesterday"}),
        ("orchestrator", {"description": "   "}),
        ("orchestrator", {"description": "x", "task_id": "../../etc"}),
        ("state-persistence", {"id": "a/b"}),
        ("rag-context", {"query": "?"}),
        ("rag-context", {"query": "x", "limit": "many"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_value_is_refused_by_field(service, body):
    with client(service) as http:
        response = http.post(POSTS[service], json=body)
    assert response.status_code == 422
    assert response.json()["error"].startswith("field '")


@pytest.mark.parametrize("service", SERVICES)
def test_unknown_paths_and_methods_are_answered_in_json(service):
    with client(service) as http:
        assert http.get("/nowhere").json() == {"error": "Not Found"}
        assert http.delete("/health").json() == {"error": "Method Not Allowed"}


def test_a_failed_check_makes_the_service_unhealthy_and_says_why(monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "missing"))
    with client("state-persistence") as http:
        response = http.get("/health")
    assert response.status_code == 503
    assert response.json()["reason"] == "unable to open database file"


def test_an_error_of_the_service_is_a_500_without_its_details(monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "missing"))
    with client("state-persistence") as http:
        response = http.get("/tasks")
        shown = http.get("/metrics").text
    assert (response.status_code, response.json()) == (500, {"error": "internal error"})
    assert 'http_requests_total{method="GET",path="/tasks",status="500"}' in shown
