"""`/_lab/…`: what is no part of the official API. Tests and demos set it up, break it, and read what was exchanged."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .cloud import Cloud


def routes(cloud: Cloud) -> list[Route]:
    """The routes, guarded by the account's own token."""

    def guarded(work: Callable[[Request, Any], Any]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            if request.headers.get("authorization") != f"Bearer {cloud.token}":
                return JSONResponse({"error": "not the lab's token"}, 401)
            content = await request.body()
            return JSONResponse(await run_in_threadpool(work, request, json.loads(content) if content else None))

        return endpoint

    def exchanges(request: Request, _: Any) -> Any:
        since = int(request.query_params.get("since", 0))
        found = [exchange for exchange in list(cloud.exchanges) if exchange["n"] > since]
        return {"next": found[-1]["n"] if found else since, "exchanges": found}

    def set_faults(_: Request, body: Any) -> Any:
        with cloud.lock:
            cloud.faults = list(body or [])
        return {"faults": len(cloud.faults)}

    def set_settings(_: Request, body: Any) -> Any:
        with cloud.lock:
            cloud.settings.update(body)
        return cloud.settings

    def state(_: Request, _body: Any) -> Any:
        with cloud.lock:
            return json.loads(json.dumps({
                "droplets": list(cloud.droplets.values()), "snapshots": list(cloud.snapshots.values()),
                "balancers": list(cloud.balancers.values()), "domains": cloud.domains,
                "reserved": list(cloud.reserved.values()), "settings": cloud.settings,
                "actions": list(cloud.actions.values()),
            }, default=str))  # fmt: skip

    def new_token(_: Request, body: Any) -> Any:
        token, id = f"dop_v1_{secrets.token_hex(16)}", secrets.token_hex(4)
        expires = time.time() + body["expires_in"] if body.get("expires_in") else None
        cloud.tokens[token] = {"id": id, "scopes": body.get("scopes"), "expires": expires}
        return {"token": token, "id": id}

    def revoke(request: Request, _: Any) -> Any:
        with cloud.lock:
            id = request.path_params["id"]
            gone = [token for token, known in cloud.tokens.items() if known["id"] == id and token != cloud.token]
            for token in gone:
                del cloud.tokens[token]
        return {"revoked": len(gone)}

    def calm(_: Request, _body: Any) -> Any:
        """Limits, faults and settings as at the start; what the account has stays."""
        from .cloud import DEFAULTS  # noqa: PLC0415

        with cloud.lock:
            cloud.settings.clear()
            cloud.settings.update(DEFAULTS)
            cloud.faults, cloud.tokens = [], {cloud.token: cloud.tokens[cloud.token]}
            cloud.asked.clear()
        return {}

    return [
        Route("/_lab/health", lambda _: JSONResponse({"status": "ok"})),
        Route("/_lab/exchanges", guarded(exchanges)),
        Route("/_lab/faults", guarded(set_faults), methods=["PUT"]),
        Route("/_lab/settings", guarded(set_settings), methods=["PUT"]),
        Route("/_lab/state", guarded(state)),
        Route("/_lab/tokens", guarded(new_token), methods=["POST"]),
        Route("/_lab/tokens/{id}", guarded(revoke), methods=["DELETE"]),
        Route("/_lab/calm", guarded(calm), methods=["POST"]),
    ]
