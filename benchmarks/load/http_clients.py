"""The clients that ask once and are answered once: short requests, long ones, and writes. None of them tries again."""

import itertools
import json
import ssl
from functools import cache
from typing import Any

import httpx

from benchmarks.load.journal import Journal, answered, paced
from benchmarks.load.plan import Plan
from benchmarks.load.request import Kind, Outcome

_SHARES = {Kind.KEPT: 0.6, Kind.FRESH: 0.25, Kind.WRITE: 0.1}
_SHOWN = 60


@cache
def tls(ca: str) -> ssl.SSLContext:
    """What trusts this authority, or nobody: httpx would read those of the machine for every client."""
    return ssl.create_default_context(cafile=ca) if ca else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def named(plan: Plan) -> dict[str, Any]:
    """What each request of a client says of the edge's name: the Host header, and the name of its certificate."""
    if not plan.host:
        return {"headers": {}, "event_hooks": {}}

    async def ask_under_it(request: httpx.Request) -> None:
        request.extensions = {**request.extensions, "sni_hostname": plan.host}

    return {"headers": {"Host": plan.host}, "event_hooks": {"request": [ask_under_it]}}


def connect(plan: Plan, *, keep: bool = True) -> httpx.AsyncClient:
    """A client of the edge; what it may not do is wait, follow, try again, or take a proxy."""
    limits = httpx.Limits(max_keepalive_connections=20 if keep else 0)
    said = named(plan)
    headers = {**said["headers"], **({} if keep else {"Connection": "close"})}
    return httpx.AsyncClient(
        base_url=plan.url, limits=limits, headers=headers, timeout=plan.long_patience, trust_env=False,
        verify=tls(plan.ca), event_hooks=said["event_hooks"],
    )  # fmt: skip


async def short(journal: Journal, kind: Kind) -> None:
    """`GET /health`, on connections that are kept or on a fresh one each."""
    async with connect(journal.plan, keep=kind is Kind.KEPT) as http:

        async def once() -> None:
            async with answered(journal, kind, journal.plan.patience) as answer:
                response = await http.get("/health")
                said = json_of(response)
                answer.note(response, fault(response, 200, said.get("status") == "ok"))
                answer.says(release=str(said.get("release", "")))

        await paced(journal, journal.plan.rate * _SHARES[kind], once)


async def long(journal: Journal) -> None:
    """`GET /api/wait`, one after the other: several of these clients keep as many always in flight."""
    async with connect(journal.plan) as http:
        while journal.may():
            async with answered(journal, Kind.LONG, journal.plan.long_patience) as answer:
                response = await http.get("/api/wait", params={"seconds": f"{journal.plan.wait:g}"})
                answer.note(response, fault(response, 200, bool(json_of(response))))
            if answer.request.outcome is Outcome.FAILED:  # or a server that refuses at once is asked without end
                await journal.pause(journal.plan.pace)


async def writes(journal: Journal) -> None:
    """`POST /api/tasks`, each with an id of its own. 201 is new; 200 says that this very write had come before."""
    numbers = itertools.count(1)
    async with connect(journal.plan) as http:

        async def once() -> None:
            task = {"id": f"{journal.plan.prefix}{next(numbers):06}", "what": "load"}
            async with answered(journal, Kind.WRITE, journal.plan.patience) as answer:
                answer.says(id=task["id"])
                response = await http.post("/api/tasks", json=task)
                same = json_of(response).get("id") == task["id"]
                if response.status_code == httpx.codes.OK and same:
                    answer.note(response, outcome=Outcome.TWICE)
                else:
                    answer.note(response, fault(response, 201, same))

        await paced(journal, journal.plan.rate * _SHARES[Kind.WRITE], once)


def fault(response: httpx.Response, status: int, right: bool) -> str:
    """What is wrong with an answer, in words; '' when nothing is."""
    if response.status_code != status:
        return f"{response.status_code} {response.reason_phrase}".strip()
    return "" if right else f"a wrong body: {response.text[:_SHOWN]}"


def json_of(response: httpx.Response) -> dict[str, Any]:
    """The object that was answered; empty when it is none."""
    try:
        said = json.loads(response.content)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
