"""Where the registry sends its clients for a token. No part of the API."""

from __future__ import annotations

import base64
import time
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from .ask import Json
from .cloud import Cloud
from .errors import ApiError
from .plans import tier

READ_ONLY = "registry is in read-only mode: garbage collection is running"


def routes(cloud: Cloud, parts: Any) -> list[Route]:
    """`GET /_registry/token`, with a login that the API gave out, or with an API token."""

    async def answer(request: Request) -> JSONResponse:
        given, scopes = request.headers.get("authorization", ""), request.query_params.getlist("scope")
        try:
            return JSONResponse(await run_in_threadpool(token, cloud, parts, given, scopes))
        except ApiError as error:
            return JSONResponse({"errors": [{"code": error.id, "message": error.message}]}, error.status)

    return [Route("/_registry/token", answer)]


def token(cloud: Cloud, parts: Any, authorization: str, scopes: list[str]) -> Json:
    """A token for what of the scopes may be.

    Raises:
        ApiError: the login is not known or has expired; or the registry is full, read-only, or has as many
            repositories as the plan includes.
    """
    login = _login(cloud, parts, _word(authorization))
    if login is None:
        raise ApiError(401, "authentication required", "UNAUTHORIZED")
    access = [grant for grant in (_granted(cloud, parts, login, scope) for scope in scopes) if grant["actions"]]
    lifetime = float(cloud.settings["token_seconds"])
    signed = parts.registry.token(login["registries"][0] if login["registries"] else "", access, lifetime)
    if signed is None:
        raise ApiError(403, READ_ONLY, "DENIED")
    return {"token": signed, "expires_in": int(lifetime)}


def _word(authorization: str) -> str:
    """The password; '' where there is none."""
    try:
        given = base64.b64decode(authorization.removeprefix("Basic ")).decode()
    except ValueError:
        return ""
    return given.partition(":")[2]


def _login(cloud: Cloud, parts: Any, word: str) -> Json | None:
    """Which registries a password opens, and how far. An API token opens all of the account as far as it may."""
    if login := parts.registry.known(word):
        return {"registries": [login["registry"]], "write": login["write"]}
    known = cloud.tokens.get(word)
    if known is None or (known["expires"] and known["expires"] < time.time()):
        return None
    scopes = known["scopes"]
    return {"registries": list(cloud.registries), "write": scopes is None or "registry:update" in scopes}


def _granted(cloud: Cloud, parts: Any, login: Json, scope: str) -> Json:
    """What of a scope a login may. Raises ApiError."""
    type, name, wanted = scope.rsplit(":", 2) if scope.count(":") > 1 else (scope, "", "")
    registry, _, repository = name.partition("/")
    asked = {*wanted.replace("*", "pull,push,delete").split(",")}
    actions = sorted(asked if login["write"] else asked & {"pull"})
    if registry not in login["registries"] or not repository:
        actions = []
    if "push" in actions:
        plan, storage = tier(cloud), parts.registry.storage
        there = storage.repositories(registry)
        if repository not in there and 0 < plan["included_repositories"] <= len(there):
            limit = plan["included_repositories"]
            raise ApiError(403, f"registry contains {len(there)} repositories, limit is {limit}", "DENIED")
        if not plan["allow_storage_overage"] and storage.used()[1] >= plan["included_storage_bytes"]:
            raise ApiError(403, "registry storage limit exceeded", "DENIED")
    return {"type": type, "name": name, "actions": actions}
