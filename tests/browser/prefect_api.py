"""What the Prefect server says of runs: which waits for a person, and which artifacts it has."""

import os
from contextlib import suppress

import httpx

from flows.core.errors import NothingToApprove
from flows.tasks.traffic.approval_answers import Waiting, find_waiting

API = os.environ.setdefault("PREFECT_API_URL", "http://127.0.0.1:4200/api").rstrip("/")


def server_answers() -> bool:
    """Whether there is a Prefect server."""
    try:
        return httpx.get(f"{API}/health", timeout=10).is_success
    except httpx.HTTPError:
        return False


def waiting(run: str) -> Waiting | None:
    """What a run waits with, by its name or id; None when it does not wait."""
    with suppress(NothingToApprove):
        return find_waiting(run)
    return None


def artifacts(key: str, run: str) -> list[str]:
    """The ids of a run's artifacts with this key, the oldest first."""
    sought = {"artifacts": {"key": {"any_": [key]}, "flow_run_id": {"any_": [run]}}}
    found = httpx.post(f"{API}/artifacts/filter", json={**sought, "sort": "CREATED_DESC"}, timeout=60)
    return [artifact["id"] for artifact in reversed(found.raise_for_status().json())]
