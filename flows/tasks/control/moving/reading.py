"""Reads what a Prefect server holds, by its API."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from blocks.errors import PrefectFailed
from flows.api.client import PrefectApi
from flows.core.control.moving.contents import FINAL, Contents, kept, with_owners, without_loose_ends
from flows.tasks.control.deployments import packaged_document

_PAGE = 200
_MOST_PAGES = 500
_FILTERS: dict[str, tuple[str, dict[str, Any]]] = {
    "block_types": ("/block_types/filter", {}),
    "block_schemas": ("/block_schemas/filter", {}),
    "blocks": ("/block_documents/filter", {"include_secrets": True}),
    "work_pools": ("/work_pools/filter", {}),
    "concurrency_limits": ("/v2/concurrency_limits/filter", {}),
    "tag_limits": ("/concurrency_limits/filter", {}),
    "variables": ("/variables/filter", {}),
    "flows": ("/flows/filter", {}),
    "deployments": ("/deployments/filter", {}),
    "automations": ("/automations/filter", {}),
}


def read_control_plane(api: PrefectApi, runs: int) -> Contents:
    """What is carried of a server.

    Args:
        runs: at most so many of the runs that ended, the newest.

    Raises:
        what the API's client raises.
    """
    found = Contents()
    for kind, (path, body) in _FILTERS.items():
        found.kinds[kind] = kept(kind, _pages(api, path, body))
    found.kinds["work_queues"] = [
        one | {"work_pool_name": pool["name"]}
        for pool in found.kinds["work_pools"]
        for one in kept("work_queues", _pages(api, f"/work_pools/{quote(pool['name'], safe='')}/queues/filter", {}))
    ]
    ended = {"flow_runs": {"state": {"type": {"any_": list(FINAL)}}}}
    found.kinds["runs"] = kept("runs", _pages(api, "/flow_runs/filter", {**ended, "sort": "END_TIME_DESC"}, runs))
    found.kinds["artifacts"] = []
    ids = [one["id"] for one in found.kinds["runs"]]
    for first in range(0, len(ids), _PAGE):
        of_these = {"artifacts": {"flow_run_id": {"any_": ids[first : first + _PAGE]}}}
        found.kinds["artifacts"] += kept("artifacts", _pages(api, "/artifacts/filter", of_these))
    found.left = _left(api, ended, len(ids))
    triggers = {
        one["name"]: [trigger["name"] for trigger in one.get("triggers", ())]
        for one in packaged_document()["deployments"]
    }
    return with_owners(without_loose_ends(found), triggers)


def _left(api: PrefectApi, ended: dict[str, Any], kept_runs: int) -> list[str]:
    """What is not carried, as sentences."""
    all_ended, every = api.post("/flow_runs/count", ended) or 0, api.post("/flow_runs/count", {}) or 0
    told = ["Logs, steps and events of runs stay where they are; so do blocks without a name."]
    if all_ended > kept_runs:
        told.append(f"{all_ended - kept_runs} older runs stay where they are (--runs).")
    if every > all_ended:
        told.append(f"{every - all_ended} runs that did not end stay; schedules make theirs anew.")
    return told


def _pages(
    api: PrefectApi, path: str, body: dict[str, Any], most: int = _PAGE * _MOST_PAGES
) -> Iterator[dict[str, Any]]:
    for offset in range(0, most, _PAGE):
        size = min(_PAGE, most - offset)
        page = api.post(path, {**body, "limit": size, "offset": offset})
        if not isinstance(page, list) or not all(isinstance(one, dict) for one in page):
            raise PrefectFailed(f"what answers at {api.connection.url}{path} is not Prefect's API")
        yield from page
        if len(page) < size:
            return
