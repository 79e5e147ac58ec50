"""Container registries."""

from __future__ import annotations

import base64
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from .account import Answer
from .ask import Ask, Json, page
from .cloud import Cloud, now
from .collections import cancel, collect, get_collection, list_collections
from .errors import ApiError, missing
from .plans import TIERS, tier

HOSTS = ("registry.digitalocean.com",)


def found(cloud: Cloud, ask: Ask) -> Json:
    """Raises ApiError."""
    if ask.parts["name"] not in cloud.registries:
        raise missing("registry not found")
    return cloud.registries[ask.parts["name"]]


def shown(registry: Json, parts: Any) -> Json:
    """With what it holds now."""
    return {
        **registry,
        "storage_usage_bytes": parts.registry.storage.used()[1],
        "storage_usage_bytes_updated_at": now(),
    }


def list_registries(cloud: Cloud, parts: Any, _ask: Ask) -> Answer:
    """All."""
    return 200, {"registries": [shown(registry, parts) for registry in cloud.registries.values()],
                 "total_storage_usage_bytes": parts.registry.storage.used()[1]}  # fmt: skip


def get_registry(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """One."""
    return 200, {"registry": shown(found(cloud, ask), parts)}


def credentials(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """A login that expires."""
    name = found(cloud, ask)["name"]
    seconds = int(ask.query.get("expiry_seconds", 0)) or 365 * 86400
    word = parts.registry.login(name, seconds, ask.query.get("read_write") == "true")
    auth = base64.b64encode(f"{word}:{word}".encode()).decode()
    return 200, {"auths": {host: {"auth": auth} for host in HOSTS}}


def subscription(cloud: Cloud, _parts: Any, _ask: Ask) -> Answer:
    """The plan."""
    return 200, {"subscription": {"tier": tier(cloud), "created_at": now(), "updated_at": now()}}


def options(_cloud: Cloud, _parts: Any, _ask: Ask) -> Answer:
    """All plans."""
    tiers = [{**plan, "eligible": True, "eligibility_reasons": []} for plan in TIERS.values()]
    return 200, {"options": {"available_regions": ["nyc3", "fra1"], "subscription_tiers": tiers}}


def repositories(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """All of one registry."""
    name, storage = found(cloud, ask)["name"], parts.registry.storage
    listed = []
    for repository in storage.repositories(name):
        manifests = storage.manifests(name, repository)
        if manifests:
            latest = max(manifests, key=lambda m: m["updated_at"])
            tags = len(storage.tags(name, repository))
            listed.append({"registry_name": name, "name": repository, "latest_manifest": latest, "tag_count": tags,
                           "manifest_count": len(manifests)})  # fmt: skip
    return 200, page(ask, "repositories", listed)


def _held(cloud: Cloud, parts: Any, ask: Ask) -> tuple[str, str]:
    name, repository = found(cloud, ask)["name"], ask.parts["repository"]
    if repository not in parts.registry.storage.repositories(name):
        raise missing("repository not found")
    return name, repository


def tags(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """All tags of a repository."""
    name, repository = _held(cloud, parts, ask)
    sizes = {m["digest"]: m["compressed_size_bytes"] for m in parts.registry.storage.manifests(name, repository)}
    listed = [
        {"registry_name": name, "repository": repository, "tag": tag, "manifest_digest": digest,
         "compressed_size_bytes": sizes.get(digest, 0), "size_bytes": sizes.get(digest, 0), "updated_at": at}
        for tag, (digest, at) in parts.registry.storage.tags(name, repository).items()
    ]  # fmt: skip
    return 200, page(ask, "tags", listed)


def manifests(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """All manifests of a repository."""
    name, repository = _held(cloud, parts, ask)
    return 200, page(ask, "manifests", parts.registry.storage.manifests(name, repository))


def remove_tag(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """Only the tag."""
    if not parts.registry.storage.remove_tag(*_held(cloud, parts, ask), ask.parts["tag"]):
        raise missing("tag not found")
    return 204, None


def remove_manifest(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """The manifest and its tags."""
    if not parts.registry.storage.remove_manifest(*_held(cloud, parts, ask), ask.parts["digest"]):
        raise missing("manifest not found")
    return 204, None


def add(cloud: Cloud, name: str) -> None:
    """A new registry."""
    cloud.registries[name] = {"name": name, "created_at": now(), "region": "nyc3"}


def own_routes(cloud: Cloud, parts: Any) -> list[Route]:
    """Where the registry sends its clients for a token. No part of the API."""

    def token(request: Request) -> JSONResponse:
        word = base64.b64decode(request.headers.get("authorization", "").removeprefix("Basic ")).decode()
        user = word.partition(":")[2]
        login = parts.registry.known(user)
        if login is None and user in cloud.tokens:
            login = {"registry": next(iter(cloud.registries), ""), "write": True}
        if login is None:
            return JSONResponse({"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}, 401)
        try:
            access = [_granted(cloud, parts, login, scope) for scope in request.query_params.getlist("scope")]
        except ApiError as error:
            return JSONResponse({"errors": [{"code": "DENIED", "message": error.message}]}, error.status)
        return JSONResponse({"token": parts.registry.token(user[:12], [g for g in access if g["actions"]]),
                             "expires_in": parts.registry.lifetime})  # fmt: skip

    return [Route("/_registry/token", token)]


def _granted(cloud: Cloud, parts: Any, login: Json, scope: str) -> Json:
    """What of a scope a login may. Raises ApiError: the registry is full, read-only, or has too many repositories."""
    type, name, wanted = scope.rsplit(":", 2) if scope.count(":") == 2 else (scope, "", "")
    actions = [a for a in wanted.split(",") if a == "pull" or login["write"]]
    if not name.startswith(f"{login['registry']}/"):
        actions = []
    if "push" in actions:
        if parts.registry.collecting:
            raise ApiError(403, "registry is in read-only mode: garbage collection is running")
        plan, storage = tier(cloud), parts.registry.storage
        there = storage.repositories(login["registry"])
        if name.partition("/")[2] not in there and 0 < plan["included_repositories"] <= len(there):
            raise ApiError(
                403, f"registry contains {len(there)} repositories, limit is {plan['included_repositories']}"
            )
        if not plan["allow_storage_overage"] and storage.used()[1] >= plan["included_storage_bytes"]:
            raise ApiError(403, "registry storage limit exceeded")
    return {"type": type, "name": name, "actions": actions}


_ONE, _IN = "/v2/registries/{name}", "/v2/registries/{name}/repositories/{repository:path}"
ROUTES = [
    ("GET", "/v2/registries", "registry:read", list_registries),
    ("GET", "/v2/registries/subscription", "registry:read", subscription),
    ("GET", "/v2/registries/options", "registry:read", options),
    ("GET", _ONE, "registry:read", get_registry),
    ("GET", f"{_ONE}/docker-credentials", "registry:read", credentials),
    ("GET", f"{_ONE}/repositoriesV2", "registry:read", repositories),
    ("GET", f"{_IN}/tags", "registry:read", tags),
    ("DELETE", f"{_IN}/tags/{{tag}}", "registry:delete", remove_tag),
    ("GET", f"{_IN}/digests", "registry:read", manifests),
    ("DELETE", f"{_IN}/digests/{{digest}}", "registry:delete", remove_manifest),
    ("GET", f"{_ONE}/garbage-collection", "registry:read", get_collection),
    ("POST", f"{_ONE}/garbage-collection", "registry:update", collect),
    ("GET", f"{_ONE}/garbage-collections", "registry:read", list_collections),
    ("PUT", f"{_ONE}/garbage-collection/{{uuid}}", "registry:update", cancel),
]
