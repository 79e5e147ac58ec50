"""DigitalOcean's API for container registries: plan, credentials, repositories, tags, manifests, garbage collection."""

import base64
from urllib.parse import quote

from blocks.digitalocean.registry_models import Collection, DocrManifest, RegistryInfo, Repository, Subscription, Tag
from blocks.digitalocean.transport import Json, Transport
from blocks.digitalocean.waiting import appeared
from blocks.errors import AnswerLost, NotAtDigitalOcean


class Registries:
    """The part of the API under `/v2/registries`; `name` is always the registry's own name."""

    def __init__(self, api: Transport) -> None:
        self._api = api

    def all(self) -> list[RegistryInfo]:
        """All registries of the account."""
        found = self._api.get("/v2/registries", "registry:read")
        return self._api.parsed(
            "GET /v2/registries", lambda a: [RegistryInfo.parse(item) for item in a["registries"] or ()], found
        )

    def get(self, name: str) -> RegistryInfo:
        """The registry of this name. Raises NotAtDigitalOcean."""
        found = self._api.get(_path(name), "registry:read")
        return self._api.parsed("GET /v2/registries/…", lambda a: RegistryInfo.parse(a["registry"]), found)

    def subscription(self) -> Subscription:
        """The plan of the account, and what it includes."""
        found = self._api.get("/v2/registries/subscription", "registry:read")
        return self._api.parsed("GET …/subscription", lambda a: Subscription.parse(a["subscription"]), found)

    def credentials(self, name: str, seconds: int, *, write: bool) -> tuple[str, str]:
        """User and password of the registry that expire after so many seconds."""
        query = {"expiry_seconds": seconds, "read_write": "true" if write else "false"}
        # The API wants both scopes, also for a login that only reads.
        found = self._api.get(f"{_path(name)}/docker-credentials", "registry:read and registry:update", **query)
        return self._api.parsed("GET …/docker-credentials", _login, found)

    def repositories(self, name: str) -> list[Repository]:
        """All repositories."""
        found = self._api.pages(f"{_path(name)}/repositoriesV2", "repositories", "registry:read")
        return [self._api.parsed("GET …/repositoriesV2", Repository.parse, item) for item in found]

    def tags(self, name: str, repository: str) -> list[Tag]:
        """All tags of a repository; none where there is no such repository."""
        found = self._within(name, repository, "tags", "tags")
        every = [self._api.parsed("GET …/tags", Tag.parse, item) for item in found]
        return [tag for tag in every if tag.repository == repository]

    def manifests(self, name: str, repository: str) -> list[DocrManifest]:
        """All manifests of a repository, tagged or not."""
        found = self._within(name, repository, "digests", "manifests")
        every = [self._api.parsed("GET …/digests", DocrManifest.parse, item) for item in found]
        return [manifest for manifest in every if manifest.repository == repository]

    def _within(self, name: str, repository: str, what: str, key: str) -> list[Json]:
        try:
            return self._api.pages(f"{_path(name, repository)}/{what}", key, "registry:read")
        except NotAtDigitalOcean:
            return []

    def remove_tag(self, name: str, repository: str, tag: str) -> bool:
        """Remove a tag; what it points at stays. Returns whether there was one."""
        return self._remove(f"{_path(name, repository)}/tags/{quote(tag, safe='')}")

    def remove_manifest(self, name: str, repository: str, digest: str) -> bool:
        """Remove a manifest and all its tags. Returns whether there was one."""
        return self._remove(f"{_path(name, repository)}/digests/{quote(digest, safe='')}")

    def _remove(self, path: str) -> bool:
        try:
            self._api.send("DELETE", path, "registry:delete", again=True)
        except NotAtDigitalOcean:
            return False
        return True

    def collection(self, name: str) -> Collection | None:
        """The garbage collection that is under way, or None."""
        try:
            found = self._api.get(f"{_path(name)}/garbage-collection", "registry:read")
        except NotAtDigitalOcean:
            return None
        collection = self._api.parsed("GET …/garbage-collection", _collection, found)
        return None if collection.ended else collection

    def collected(self, name: str, uuid: str) -> Collection | None:
        """The garbage collection of this id, whether it has ended or not; None when it is not listed."""
        found = self._api.pages(f"{_path(name)}/garbage-collections", "garbage_collections", "registry:read")
        every = [self._api.parsed("GET …/garbage-collections", Collection.parse, item) for item in found]
        return next((collection for collection in every if collection.uuid == uuid), None)

    def collect(self, name: str) -> Collection:
        """Start the garbage collection of blobs that no manifest refers to; manifests without a tag stay.

        The registry is read-only meanwhile. Where one is under way already, that one is returned.
        """
        path = f"{_path(name)}/garbage-collection"
        if active := self.collection(name):
            return active
        try:
            answer = self._api.send("POST", path, "registry:update")
            return self._api.parsed("POST …/garbage-collection", _collection, answer)
        except AnswerLost:
            if begun := appeared(lambda: self.collection(name)):
                return begun
            raise


def _path(name: str, repository: str = "") -> str:
    inner = f"/repositories/{quote(repository, safe='')}" if repository else ""
    return f"/v2/registries/{quote(name, safe='')}{inner}"


def _collection(found: Json) -> Collection:
    return Collection.parse(found["garbage_collection"])


def _login(found: Json) -> tuple[str, str]:
    """The login in an answer that has the form of Docker's own configuration file."""
    user, _, password = base64.b64decode(next(iter(found["auths"].values()))["auth"]).decode().partition(":")
    return user, password
