"""The HTTP side: who may ask, limits, faults, the record of every exchange, and the handlers behind it."""

from __future__ import annotations

import json
import time
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import account, balancers, control, domains, droplets, faults, registries, reserved_ips, snapshots, tags
from .ask import Ask, Json
from .cloud import Cloud
from .errors import ApiError

ROOMS = (account, droplets, snapshots, tags, balancers, domains, reserved_ips, registries)
HOUR, MINUTE = 3600.0, 60.0


def create_app(cloud: Cloud, parts: Any) -> Starlette:
    """The stand-in for one account.

    Args:
        parts: what it does for real: engine, balancers, names, addresses, registry; see `parts`.
    """
    by_path: dict[str, dict[str, tuple[str, Any]]] = {}
    for room in ROOMS:
        for method, path, scope, handler in room.ROUTES:
            by_path.setdefault(path, {})[method] = (scope, handler)

    def endpoint(handlers: dict[str, tuple[str, Any]]) -> Any:
        async def answer(request: Request) -> Response:
            content = await request.body()
            return await run_in_threadpool(_answer, cloud, parts, handlers, request, content)

        return answer

    routes = [Route(path, endpoint(handlers), methods=list(handlers)) for path, handlers in by_path.items()]
    return Starlette(routes=[*routes, *control.routes(cloud)])


def _answer(cloud: Cloud, parts: Any, handlers: Any, request: Request, content: bytes) -> Response:
    method, path = request.method, request.scope["raw_path"].decode()  # as it was sent: a name may hold a slash
    exchange: Json = {
        "method": method, "path": path, "query": dict(request.query_params), "request_body": _json(content),
        "content_type": request.headers.get("content-type", ""),
    }  # fmt: skip
    fault = faults.taken(cloud, method, path)
    try:
        limits = _limits(cloud)
    except ApiError as error:
        status, body, headers = error.status, {"id": error.id, "message": error.message}, error.headers
    else:
        headers = limits
        try:
            scope, handler = handlers["GET" if method == "HEAD" else method]
            _allow(cloud, request, scope, method)
            faults.before(fault)
            ask = Ask(method, path, dict(request.path_params), exchange["query"], exchange["request_body"] or {}, fault)
            status, body = handler(cloud, parts, ask)
        except ApiError as error:
            status, body = (
                error.status,
                {"id": error.id, "message": error.message, "request_id": f"lab-{time.time_ns()}"},
            )
            headers = {**limits, **error.headers}
        except Exception as error:
            print(f"{method} {path}: {type(error).__name__}: {error}", flush=True)
            status, body = 500, {"id": "server_error", "message": f"{type(error).__name__}: {error}"}
    played = faults.after(fault)
    text = json.dumps(body, default=str) if body is not None else None  # as it is now: it may change at once
    cloud.record({**exchange, "status": status, "headers": headers, "body": json.loads(text) if text else None,
                  "fault": (fault or {}).get("act") if fault else None, "lost": played is not None})  # fmt: skip
    if played is not None:
        return played
    if text is None:
        return Response(status_code=status, headers=headers)
    return Response(text, status, headers, media_type="application/json")


def _allow(cloud: Cloud, request: Request, scope: str, method: str) -> None:
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    known = cloud.tokens.get(given)
    if known is None or (known["expires"] and known["expires"] < time.time()):
        raise ApiError(401, "Unable to authenticate you")
    missing = [one for one in scope.split() if known["scopes"] is not None and one not in known["scopes"]]
    if missing:
        raise ApiError(403, f"You are missing the required permission {missing[0]}")
    if cloud.settings["status"] == "locked" and method != "GET":
        raise ApiError(403, "Your account is locked. Please open a support ticket.")


def _limits(cloud: Cloud) -> dict[str, str]:
    """The headers that say how many requests are left. Raises ApiError: none is."""
    with cloud.lock:
        at = time.time()
        while cloud.asked and cloud.asked[0] < at - HOUR:
            cloud.asked.popleft()
        hour, minute = int(cloud.settings["rate_hour"]), int(cloud.settings["rate_minute"])
        reset = (cloud.asked[0] if cloud.asked else at) + HOUR
        headers = {"ratelimit-limit": str(hour), "ratelimit-remaining": str(max(0, hour - len(cloud.asked) - 1)),
                   "ratelimit-reset": str(int(reset))}  # fmt: skip
        if len(cloud.asked) >= hour:
            raise ApiError(429, "API rate limit exceeded.", headers=headers)
        recent = [when for when in list(cloud.asked)[-minute:] if when > at - MINUTE]
        if len(recent) >= minute:
            wait = max(1, int(recent[0] + MINUTE - at) + 1)
            raise ApiError(429, "API rate limit exceeded.", headers={**headers, "retry-after": str(wait)})
        cloud.asked.append(at)
    return headers


def _json(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return None


def said(body: Json, status: int = 200) -> JSONResponse:
    """An answer outside the official API."""
    return JSONResponse(body, status)
