"""Container registries."""

from __future__ import annotations

import base64
import re
from typing import Any

from .account import Answer
from .ask import Ask, Json, page
from .cloud import REGIONS, Cloud, now
from .collections import cancel, collect, get_collection, list_collections
from .errors import ApiError, missing, unprocessable
from .plans import TIERS, tier

HOSTS = ("registry.digitalocean.com",)
FOREVER = 100 * 365 * 86400  # what "does not expire" is here
NAME = re.compile(r"[a-z0-9-]{1,63}")


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


def create_registry(cloud: Cloud, _parts: Any, ask: Ask) -> Answer:
    """One more, with the account's plan."""
    [name] = ask.need("name")
    _free(cloud, name)
    if ask.body.get("region", "nyc3") not in REGIONS:
        raise unprocessable("invalid region")
    if ask.body.get("subscription_tier_slug") in TIERS:
        cloud.settings["tier"] = ask.body["subscription_tier_slug"]
    add(cloud, name)
    cloud.registries[name]["region"] = ask.body.get("region", "nyc3")
    return 201, {"registry": {**cloud.registries[name], "subscription": {"tier": tier(cloud)}}}


def check_name(cloud: Cloud, _parts: Any, ask: Ask) -> Answer:
    """Whether a registry may be called so."""
    _free(cloud, ask.need("name")[0])
    return 204, None


def _free(cloud: Cloud, name: str) -> None:
    if not NAME.fullmatch(name):
        raise unprocessable("registry name is invalid: lower-case letters, digits and hyphens, at most 63")
    if name in cloud.registries:
        raise ApiError(409, "registry name is already in use")


def remove_registry(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """With all that is in it."""
    name = found(cloud, ask)["name"]
    for repository in parts.registry.storage.repositories(name):
        parts.registry.storage.remove_repository(name, repository)
    del cloud.registries[name]
    cloud.collections.pop(name, None)
    return 204, None


def credentials(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """A login that expires."""
    name = found(cloud, ask)["name"]
    try:
        seconds = int(ask.query.get("expiry_seconds", 0)) or FOREVER
    except ValueError:
        raise unprocessable("expiry_seconds must be a number") from None
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


def remove_repository(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """With all its tags and manifests."""
    parts.registry.storage.remove_repository(*_held(cloud, parts, ask))
    return 204, None


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


_ONE, _IN = "/v2/registries/{name}", "/v2/registries/{name}/repositories/{repository:path}"
ROUTES = [
    ("GET", "/v2/registries", "registry:read", list_registries),
    ("POST", "/v2/registries", "registry:create", create_registry),
    ("POST", "/v2/registries/validate-name", "registry:create", check_name),
    ("GET", "/v2/registries/subscription", "registry:read", subscription),
    ("GET", "/v2/registries/options", "registry:read", options),
    ("GET", _ONE, "registry:read", get_registry),
    ("DELETE", _ONE, "registry:delete", remove_registry),
    ("GET", f"{_ONE}/docker-credentials", "registry:read registry:update", credentials),
    ("GET", f"{_ONE}/repositoriesV2", "registry:read", repositories),
    ("GET", f"{_IN}/tags", "registry:read", tags),
    ("DELETE", f"{_IN}/tags/{{tag}}", "registry:delete", remove_tag),
    ("GET", f"{_IN}/digests", "registry:read", manifests),
    ("DELETE", f"{_IN}/digests/{{digest}}", "registry:delete", remove_manifest),
    ("DELETE", _IN, "registry:delete", remove_repository),
    ("GET", f"{_ONE}/garbage-collection", "registry:read", get_collection),
    ("POST", f"{_ONE}/garbage-collection", "registry:update", collect),
    ("GET", f"{_ONE}/garbage-collections", "registry:read", list_collections),
    ("PUT", f"{_ONE}/garbage-collection/{{uuid}}", "registry:update", cancel),
]
