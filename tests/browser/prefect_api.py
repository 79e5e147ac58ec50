"""What the Prefect server says of runs: which waits for a person, and which artifacts it has."""

from contextlib import suppress

import httpx

from flows.api.approvals import Waiting, find_waiting
from flows.api.client import PrefectApi
from flows.core.errors import NothingToApprove
from tests.support.lab.lab import prefect_api


def server_answers() -> bool:
    """Whether there is a Prefect server."""
    try:
        with prefect_api() as api:
            return api.get("/health").is_success
    except httpx.HTTPError:
        return False


def waiting(run: str) -> Waiting | None:
    """What a run waits with, by its name or id; None when it does not wait."""
    with suppress(NothingToApprove), PrefectApi() as api:
        return find_waiting(api, run)
    return None


def artifacts(key: str, run: str) -> list[str]:
    """The ids of a run's artifacts with this key, the oldest first."""
    sought = {"artifacts": {"key": {"any_": [key]}, "flow_run_id": {"any_": [run]}}}
    with prefect_api() as api:
        found = api.post("/artifacts/filter", json={**sought, "sort": "CREATED_DESC"}).raise_for_status()
    return [artifact["id"] for artifact in reversed(found.json())]
