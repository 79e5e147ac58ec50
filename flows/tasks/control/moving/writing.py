"""Makes at a Prefect server what was carried from another one, by its API. Done again, it changes nothing."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from blocks.errors import PrefectFailed
from flows.api.client import PrefectApi
from flows.core.control.moving.contents import FIELDS, Contents, deployments_started
from flows.core.control.moving.ids import blocks_in_order, with_new_ids
from flows.core.errors import BadExport

Ids = dict[str, str]
Thing = Mapping[str, Any]


def write_control_plane(api: PrefectApi, contents: Contents) -> None:
    """Make what is missing, and what is there as it was.

    Raises:
        BadExport: it cannot be made. And what the API's client raises.
    """
    for flow in contents.kinds["flows"][:1]:
        if api.get(f"/flows/{quote(str(flow['id']), safe='')}"):
            raise BadExport(f"the export came from the very server at {api.connection.url}. Nothing was changed")
    ids: Ids = {}
    for kind in FIELDS:
        things = contents.kinds[kind]
        if kind == "block_schemas":
            _make_schemas(api, things, ids)
            continue
        if kind == "artifacts":
            _make_artifacts(api, things, ids)
            continue
        for one in blocks_in_order(things) if kind == "blocks" else things:
            new = _MAKERS[kind](api, {name: with_new_ids(value, ids) for name, value in one.items() if name != "id"})
            ids[str(one["id"])] = str(new)


def _made(api: PrefectApi, path: str, body: Any) -> str:
    """The id of what was made."""
    answer = api.post(path, body)
    if not isinstance(answer, dict) or "id" not in answer:
        raise PrefectFailed(f"what answers at {api.connection.url}{path} is not Prefect's API")
    return str(answer["id"])


def _ensured(api: PrefectApi, found: Any, make: str, change: str, body: Thing, method: str = "PATCH") -> str:
    """The id of what is there, changed to the body; or of what was made of it."""
    if found is None:
        return _made(api, make, body)
    if change:
        api.request(method, change, json=dict(body))
    return str(found["id"])


def _name(thing: Thing, key: str = "name") -> str:
    return quote(str(thing[key]), safe="")


def _make_type(api: PrefectApi, one: Thing) -> str:
    return _ensured(api, api.get(f"/block_types/slug/{_name(one, 'slug')}"), "/block_types/", "", one)


def _make_schemas(api: PrefectApi, schemas: list[dict[str, Any]], ids: Ids) -> None:
    """Schemas, each after those that it refers to: what is refused is tried again after the others."""
    waiting, refusal = list(schemas), ""
    while waiting:
        later = []
        for one in waiting:
            if found := api.get(f"/block_schemas/checksum/{_name(one, 'checksum')}"):
                ids[one["id"]] = str(found["id"])
                continue
            body = {name: with_new_ids(one[name], ids) for name in FIELDS["block_schemas"] if name in one}
            del body["checksum"]
            try:
                ids[one["id"]] = _made(api, "/block_schemas/", body)
            except PrefectFailed as error:
                refusal = str(error)
                later.append(one)
        if len(later) == len(waiting):
            raise BadExport(
                f"{len(later)} block schemas cannot be made; first what they refer to is missing: {refusal}"
            )
        waiting = later


def _make_block(api: PrefectApi, one: Thing) -> str:
    data = {**one["data"], **{name: {"$ref": {"block_document_id": held}} for name, held in one["references"].items()}}
    where = f"/block_types/slug/{_name(one, 'block_type')}/block_documents/name/{_name(one)}"
    found = api.get(where)
    if found is None:
        made = {name: one[name] for name in ("name", "block_schema_id", "block_type_id")}
        return _made(api, "/block_documents/", {**made, "data": data})
    body = {"data": data, "block_schema_id": one["block_schema_id"], "merge_existing_data": False}
    api.request("PATCH", f"/block_documents/{found['id']}", json=body)
    return str(found["id"])


def _make_pool(api: PrefectApi, one: Thing) -> str:
    found = api.get(f"/work_pools/{_name(one)}")
    if found is None:
        return _made(api, "/work_pools/", one)
    body = {name: one[name] for name in ("description", "is_paused", "concurrency_limit") if name in one}
    api.request("PATCH", f"/work_pools/{_name(one)}", json=body)
    return str(found["id"])


def _make_queue(api: PrefectApi, one: Thing) -> str:
    queues, body = f"/work_pools/{_name(one, 'work_pool_name')}/queues", dict(one)
    del body["work_pool_name"]
    return _ensured(api, api.get(f"{queues}/{_name(one)}"), f"{queues}/", f"{queues}/{_name(one)}", body)


def _make_limit(api: PrefectApi, one: Thing) -> str:
    where = f"/v2/concurrency_limits/{_name(one)}"
    return _ensured(api, api.get(where), "/v2/concurrency_limits/", where, one)


def _make_variable(api: PrefectApi, one: Thing) -> str:
    where = f"/variables/name/{_name(one)}"
    return _ensured(api, api.get(where), "/variables/", where, one)


def _make_automation(api: PrefectApi, one: Thing) -> str:
    asked = {"automations": {"name": {"any_": [one["name"]]}}, "limit": 200}
    same = [
        found
        for found in api.post("/automations/filter", asked) or ()
        if deployments_started(found) == deployments_started(one)
    ]
    if not same:
        return _made(api, "/automations/", one)
    body = {name: value for name, value in one.items() if name != "owner_resource"}
    api.request("PUT", f"/automations/{same[0]['id']}", json=body)
    return str(same[0]["id"])


def _make_run(api: PrefectApi, one: Thing) -> str:
    return _made(api, "/flow_runs/", one)


def _make_artifacts(api: PrefectApi, artifacts: list[dict[str, Any]], ids: Ids) -> None:
    """Those of each run that has none yet."""
    of_runs: dict[str, list[dict[str, Any]]] = {}
    for one in artifacts:
        of_runs.setdefault(ids.get(one["flow_run_id"], ""), []).append(one)
    of_runs.pop("", None)
    for run, its in of_runs.items():
        there = api.post("/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run]}}, "limit": 200}) or ()
        for one in its[len(there) :]:
            body = {name: value for name, value in with_new_ids(one, ids).items() if name != "id"}
            api.post("/artifacts/", body)


_MAKERS: dict[str, Callable[[PrefectApi, Thing], str]] = {
    "block_types": _make_type,
    "blocks": _make_block,
    "work_pools": _make_pool,
    "work_queues": _make_queue,
    "concurrency_limits": _make_limit,
    "tag_limits": lambda api, one: _made(api, "/concurrency_limits/", one),
    "variables": _make_variable,
    "flows": lambda api, one: _made(api, "/flows/", one),
    "deployments": lambda api, one: _made(api, "/deployments/", one),
    "automations": _make_automation,
    "runs": _make_run,
}
