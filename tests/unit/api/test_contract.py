"""Each question that flows/api asks, and each answer it is tested with, has the form that Prefect itself describes.

The description is made by the server that is installed here.
"""

import json
from uuid import UUID

import openapi_core
import pytest
from openapi_core.testing import MockRequest, MockResponse
from prefect.server.api.server import create_app

from blocks.errors import PrefectFailed
from flows.api import approvals, blocks, runs
from flows.api.client import PrefectApi
from flows.api.connection import ApiConnection
from flows.core.errors import TriggerRefused
from flows.looking import doctor
from tests.support.http_server import Asked, Says, serving

pytestmark = pytest.mark.unit

NOW = "2026-05-04T12:00:00Z"
ONE, TWO, THREE = (f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
RUN = {
    "id": ONE, "created": NOW, "updated": NOW, "name": "release shop", "flow_id": TWO, "total_run_time": 2.5,
    "start_time": NOW, "expected_start_time": NOW, "state": {
        "id": THREE, "type": "PAUSED", "name": "Paused", "timestamp": NOW, "message": "asks",
        "state_details": {"run_input_keyset": {"description": "d-1", "schema": "s-1"}},
    },
}  # fmt: skip
DEPLOYMENT = {
    "id": TWO, "created": NOW, "updated": NOW, "name": "release", "flow_id": ONE,
    "parameter_openapi_schema": {"type": "object", "properties": {}},
}  # fmt: skip
STEP = {
    "id": TWO, "created": NOW, "updated": NOW, "name": "build images", "task_key": "b", "dynamic_key": "0",
    "state_type": "COMPLETED", "state_name": "Completed", "total_run_time": 1.5, "start_time": NOW,
}  # fmt: skip
BLOCK = {
    "id": TWO, "created": NOW, "updated": NOW, "name": "green", "data": {"host": "203.0.113.7"},
    "block_schema_id": ONE, "block_type_id": ONE,
}  # fmt: skip
LINE = {"id": ONE, "created": NOW, "updated": NOW, "name": "x", "level": 40, "message": "no", "timestamp": NOW}
TABLE = {"id": ONE, "created": NOW, "updated": NOW, "type": "table", "data": "[]", "description": "d"}
WORKER = {
    "id": ONE, "created": NOW, "updated": NOW, "name": "one", "work_pool_id": TWO, "last_heartbeat_time": NOW,
    "heartbeat_interval_seconds": 30, "status": "ONLINE",
}  # fmt: skip
AUTOMATION = {
    "id": ONE, "created": NOW, "updated": NOW, "name": "recover", "enabled": True, "description": "", "actions": [],
    "trigger": {"type": "event", "posture": "Reactive", "threshold": 1, "within": 0},
}  # fmt: skip
RESUMED = {"state": None, "status": "ACCEPT", "details": {"type": "accept_details"}}
# Path of the description → its answer, the parameters of the path in the order of the address.
ANSWERS = {
    "/admin/version": "3.8.8",
    "/deployments/name/{flow_name}/{deployment_name}": DEPLOYMENT,
    "/deployments/{id}/create_flow_run": RUN,
    "/deployments/filter": [DEPLOYMENT],
    "/automations/filter": [AUTOMATION],
    "/flow_runs/{id}": RUN,
    "/flow_runs/{id}/set_state": RESUMED,
    "/flow_runs/{id}/resume": RESUMED,
    "/flow_runs/{id}/input/{key}": "Go on?",
    "/flow_runs/filter": [RUN],
    "/task_runs/filter": [STEP],
    "/logs/filter": [LINE],
    "/artifacts/filter": [TABLE],
    "/block_documents/filter": [BLOCK],
    "/block_types/slug/{slug}/block_documents/name/{block_document_name}": BLOCK,
    "/work_pools/{work_pool_name}/workers/filter": [WORKER],
}


@pytest.fixture(scope="module")
def description():
    whole = create_app(ephemeral=True).openapi()
    ours = {path: whole["paths"][path] for path in ANSWERS}
    config = openapi_core.Config(spec_validator_cls=None)
    described = {**whole, "paths": ours, "servers": [{"url": "/api"}]}
    return openapi_core.OpenAPI.from_dict(described, config=config)


@pytest.fixture
def prefect():
    """A server that answers as described, and the client that asks it."""

    def answer(asked: Asked) -> Says:
        return Says(200, json.dumps(ANSWERS[path_of(asked.path)]).encode(), {"Content-Type": "application/json"})

    with serving(answer) as there, PrefectApi(ApiConnection(f"{there.url}/api"), pause=lambda _s: None) as api:
        yield api, there


def path_of(address: str) -> str:
    if (whole := address.removeprefix("/api")) in ANSWERS:
        return whole
    words = whole.split("/")
    for path in ANSWERS:
        pattern = path.split("/")
        if len(pattern) == len(words) and all(b in (a, "") or b[0] == "{" for a, b in zip(words, pattern, strict=True)):
            return path
    raise AssertionError(f"no description of {address}")


def deployment(api: PrefectApi) -> runs.PrefectDeployment:
    return runs.find_deployment(api, "release")


def waiting(_api: PrefectApi) -> approvals.Waiting:
    return approvals.Waiting(UUID(ONE), "release shop", "")


def answered(api: PrefectApi) -> object:
    with pytest.raises(Exception, match="still waits"):  # the state of this run never changes
        approvals.give_answer(api, waiting(api), "approve", "Ada", "why")
    return "asked"


CALLS = {
    "a deployment": lambda api: deployment(api).name == "release",
    "a start": lambda api: runs.start_run(api, deployment(api), {"ref": "abc"}, "key").id == UUID(ONE),
    "a run": lambda api: runs.find_run(api, UUID(ONE)).state.name == "Paused",
    "a cancel": lambda api: runs.cancel_run(api, UUID(ONE)) is None,
    "steps": lambda api: runs.finished_steps(api, UUID(ONE))[0].name == "build images",
    "lines": lambda api: runs.next_lines(api, [UUID(ONE)], 40, runs.LogPosition(NOW))[0].message == "no",
    "called runs": lambda api: runs.called_runs(api, [UUID(TWO)])[0].name == "release shop",
    "artifacts": lambda api: runs.run_artifacts(api, [UUID(ONE)])[0]["description"] == "d",
    "a block": lambda api: blocks.read_block(api, "slipway-droplet", "green") == {"host": "203.0.113.7"},
    "blocks": lambda api: set(blocks.read_blocks(api, "slipway-droplet", ["green", "blue"])) == {"green"},
    "who waits": lambda api: approvals.find_waiting(api, None).question == "Go on?",
    "a run by its name": lambda api: approvals._ended(api, "x") == ": it is paused",
    "an answer": answered,
    "doctor's names": lambda api: doctor._names(api, "deployments") == ["release"],
    "doctor's automations": lambda api: doctor._names(api, "automations") == ["recover"],
    "doctor's workers": lambda api: api.post("/work_pools/slipway/workers/filter")[0]["last_heartbeat_time"] == NOW,
    "the server's version": lambda api: api.get("/admin/version") == "3.8.8",
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_questions_and_answers_are_those_that_prefect_describes(description, prefect, call, monkeypatch):
    monkeypatch.setattr(approvals, "_PATIENCE", 0.01)
    api, there = prefect
    assert call(api)
    assert there.asked
    for asked in there.asked:
        kind = "application/json"
        given = MockRequest(
            there.url, asked.method.lower(), asked.path, headers=asked.headers, data=asked.body or None,
            content_type=asked.headers.get("content-type", ""),
            args={name: values[0] for name, values in asked.query.items()},
        )  # fmt: skip
        description.validate_request(given)
        content = json.dumps(ANSWERS[path_of(asked.path)]).encode()
        description.validate_response(given, MockResponse(content, content_type=kind))


def test_every_answer_that_is_described_here_is_one_that_somebody_asks_for(prefect, monkeypatch):
    monkeypatch.setattr(approvals, "_PATIENCE", 0.01)
    api, there = prefect
    for call in CALLS.values():
        assert call(api)
    assert {path_of(asked.path) for asked in there.asked} == set(ANSWERS)


@pytest.mark.parametrize(("status", "error"), [(409, TriggerRefused), (422, TriggerRefused), (400, PrefectFailed)])
def test_a_refused_start_is_known_by_its_status_whatever_the_words(status, error):
    def answer(asked: Asked) -> Says:
        if asked.path.endswith("create_flow_run"):
            return Says(status, {"detail": "somebody says : 409: or : 422: here"})
        return Says(200, DEPLOYMENT)

    raises = pytest.raises(error)
    with serving(answer) as there, PrefectApi(ApiConnection(f"{there.url}/api")) as api, raises as raised:
        runs.start_run(api, deployment(api), {}, "key")
    assert type(raised.value) is error
