"""How many of a load's writes stand in the store when it is over: what was acknowledged must, and only once."""

import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from benchmarks.load.plan import Plan
from benchmarks.load.request import Kind, Outcome, Request

_LOOKED_UP = 2000


@dataclass(frozen=True)
class Writes:
    """The writes of one load. `lost` is None when the store could not be asked."""

    acknowledged: int
    doubled: int
    lost: int | None


def settle(plan: Plan, requests: Sequence[Request], patience: float = 20.0) -> Writes:
    """Count, by asking the store through the edge.

    A write that failed for the client may stand there nevertheless, and would hide one that was lost: each of these is
    looked up by its own id, which is the prefix of no other.
    """
    mine = [request for request in requests if request.kind is Kind.WRITE]
    acknowledged = sum(r.outcome in (Outcome.WELL, Outcome.TWICE) for r in mine)
    doubled = sum(r.outcome is Outcome.TWICE for r in mine)
    failed = [r.id for r in mine if r.outcome is Outcome.FAILED]
    if not acknowledged:
        return Writes(0, doubled, 0)
    with _client(plan) as http:
        stored = _count(http, plan.prefix, patience)
        nevertheless = [_count(http, one, patience) for one in failed] if len(failed) <= _LOOKED_UP else [None]
    if stored is None or None in nevertheless:
        return Writes(acknowledged, doubled, None)
    return Writes(acknowledged, doubled, max(0, acknowledged - (stored - sum(n or 0 for n in nevertheless))))


def _client(plan: Plan) -> httpx.Client:
    def ask_under_it(request: httpx.Request) -> None:
        request.extensions = {**request.extensions, "sni_hostname": plan.host}

    hooks = {"request": [ask_under_it]} if plan.host else {}
    headers = {"Host": plan.host} if plan.host else {}
    verify = ssl.create_default_context(cafile=plan.ca) if plan.ca else True
    return httpx.Client(
        base_url=plan.url, timeout=10, trust_env=False, headers=headers, event_hooks=hooks, verify=verify
    )  # fmt: skip


def _count(http: httpx.Client, prefix: str, patience: float) -> int | None:
    """How many tasks begin so. Asked again while nothing answers: this is the count, not the load."""
    deadline = time.monotonic() + patience
    while True:
        try:
            answer = http.get("/api/tasks", params={"prefix": prefix, "limit": "1"}).raise_for_status()
            return int(answer.json()["count"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            if time.monotonic() > deadline:
                return None
            time.sleep(0.3)
