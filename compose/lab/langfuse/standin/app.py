"""The HTTP side: who may ask, what is asked, and answers in the official form."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from . import VERSION, metrics, otlp
from .filters import BadFilterError, instant, predicate
from .store import Store, order

Json = dict[str, Any]
CORE = ("id", "traceId", "startTime", "endTime", "projectId", "parentObservationId", "type")
GROUPS = {
    "core": (),
    "basic": ("name", "level", "statusMessage", "version", "environment", "bookmarked", "public", "userId",
              "sessionId", "isRootObservation"),
    "time": ("completionStartTime", "createdAt", "updatedAt"),
    "io": ("input", "output"),
    "metadata": ("metadata",),
    "model": ("providedModelName", "internalModelId", "modelParameters"),
    "usage": ("usageDetails", "costDetails", "totalCost", "usagePricingTierName"),
    "prompt": ("promptId", "promptName", "promptVersion"),
    "metrics": ("latency", "timeToFirstToken"),
    "trace_context": ("tags", "release", "traceName"),
}  # fmt: skip
PRICES = {"modelId": None, "inputPrice": None, "outputPrice": None, "totalPrice": None}
EXACT = ("name", "userId", "sessionId", "type", "traceId", "level", "version", "parentObservationId")
LONG_METADATA = 200


def create_app(public_key: str, secret_key: str, store: Store | None = None) -> Starlette:
    """The stand-in for one project with these API keys."""
    kept = store or Store()
    expected = f"{public_key}:{secret_key}".encode()

    def guarded(answer: Callable[[Request, bytes], Json]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> JSONResponse:
            if not _knows(request.headers.get("authorization", ""), expected):
                return _error(401, "UnauthorizedError", "Invalid credentials. Confirm that you've configured the keys.")
            try:
                return JSONResponse(answer(request, await request.body()))
            except (otlp.BadRequestError, BadFilterError) as error:
                return _error(400, "InvalidRequestError", str(error))

        return endpoint

    def ingest(request: Request, body: bytes) -> Json:
        headers = request.headers
        kept.add(otlp.decode(body, headers.get("content-type", ""), headers.get("content-encoding", "")))
        return {}

    def observations(request: Request, _: bytes) -> Json:
        return _page(request, kept.visible())

    def measure(request: Request, _: bytes) -> Json:
        return {"data": metrics.answer(_json(request.query_params.get("query", "")), kept.visible())}

    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"status": "OK", "version": VERSION})

    return Starlette(
        routes=[
            Route("/api/public/health", health),
            Route("/api/public/otel/v1/traces", guarded(ingest), methods=["POST"]),
            Route("/api/public/v2/observations", guarded(observations)),
            Route("/api/public/v2/metrics", guarded(measure)),
        ]
    )


def _knows(header: str, expected: bytes) -> bool:
    scheme, _, token = header.partition(" ")
    try:
        given = base64.b64decode(token, validate=True)
    except binascii.Error:
        return False
    return scheme.lower() == "basic" and secrets.compare_digest(given, expected)


def _error(status: int, name: str, message: str) -> JSONResponse:
    return JSONResponse({"error": name, "message": message}, status)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise BadFilterError(f"this is no JSON: {error}") from error


def _page(request: Request, observations: list[Json]) -> Json:
    asked = request.query_params
    if asked.get("parseIoAsJson") == "true":
        raise BadFilterError("parseIoAsJson is no longer supported; input and output are raw strings")
    wanted = predicate(_json(asked["filter"])) if asked.get("filter") else _by_parameters(request)
    after = _cursor(asked["cursor"]) if asked.get("cursor") else None
    limit = _limit(asked.get("limit") or "50")
    found = [o for o in observations if (after is None or order(o) < after) and wanted(o)]
    groups = [group.strip() for group in (asked.get("fields") or "core,basic").split(",")]
    if unknown := set(groups) - set(GROUPS):
        raise BadFilterError(f"no field group {', '.join(sorted(unknown))}")
    expand = set((asked.get("expandMetadata") or "").split(","))
    meta = {"cursor": _pointer(found[limit - 1])} if len(found) > limit else {}
    return {"data": [_shown(o, groups, expand) for o in found[:limit]], "meta": meta}


def _by_parameters(request: Request) -> Callable[[Json], bool]:
    asked = request.query_params
    exact = {key: asked[key] or None for key in EXACT if key in asked}
    start = instant(asked["fromStartTime"]) if asked.get("fromStartTime") else None
    end = instant(asked["toStartTime"]) if asked.get("toStartTime") else None
    environments = asked.getlist("environment")
    root = asked.get("isRootObservation")

    def wanted(observation: Json) -> bool:
        moment = instant(observation["startTime"])
        return (
            all(observation[key] == value for key, value in exact.items())
            and (start is None or moment >= start)
            and (end is None or moment < end)
            and (not environments or observation["environment"] in environments)
            and (root is None or observation["isRootObservation"] is (root == "true"))
        )

    return wanted


def _limit(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 1000:
        raise BadFilterError("limit is a number from 1 to 1000")
    return int(text)


def _pointer(observation: Json) -> str:
    return base64.b64encode(json.dumps(order(observation)).encode()).decode()


def _cursor(text: str) -> tuple[str, str, str]:
    try:
        start, trace, span = json.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise BadFilterError("the cursor is none of ours") from error
    return str(start), str(trace), str(span)


def _shown(observation: Json, groups: list[str], expand: set[str]) -> Json:
    names = [*CORE, *(name for group in groups for name in GROUPS[group])]
    shown = {name: observation[name] for name in names} | PRICES
    if "metadata" in shown:
        shown["metadata"] = {
            key: value[:LONG_METADATA] if isinstance(value, str) and key not in expand else value
            for key, value in shown["metadata"].items()
        }
    return shown
