"""The release: one immutable build of a stack, and its document, which is published with it."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from flows.core.errors import BadRelease
from flows.core.stack.compose_yaml import dump_compose
from flows.core.stack.files.mounts import Rule
from flows.core.stack.files.secret_modes import MountedSecret
from flows.core.stack.files.shipped_files import EnvironmentFile

FORMAT = 1
FILES_LABEL = "dev.slipway.files"
_FROZEN = ConfigDict(frozen=True, extra="forbid")


class Layer(BaseModel):
    """One compressed layer of an image, in bytes."""

    model_config = _FROZEN
    digest: str
    size: int


class Image(BaseModel):
    """One image: its platforms (`linux/amd64`; several for an index) and its layers."""

    model_config = _FROZEN
    platforms: tuple[str, ...] = ()
    layers: tuple[Layer, ...] = ()
    built: bool = True


class Release(BaseModel):
    """One release of a stack. Paths are relative to the root of its files, which keep their places in the source.

    `services` maps each service to `repository@sha256:…`; `images` says more of each of these references.
    `secret_readers` says which secret files each service mounts; `secret_copies` are the mounts that need a file of
    their own, because they have another mode than the file in its place.
    `state` are paths that services write to; a droplet keeps them across releases. `rules` says of some what becomes of
    a file that both the release and a service have changed; where nothing is said, the service's stays.
    `home` are the services that run once, on the data home; `volumes` are the names of their volumes on a droplet.
    `waits` says which services wait for which between data home and colours. `unsaid` are services that keep state and
    do not say where it lives. `compose_needs` maps each field that not every Compose knows, with its place, to the
    version that brought it.
    """

    model_config = _FROZEN

    format: int = FORMAT
    stack: str
    tag: str
    commit: str | None = None
    compose_files: tuple[str, ...] = Field(min_length=1)
    profiles: tuple[str, ...] = ()
    services: Mapping[str, str]
    images: Mapping[str, Image]
    registry: str
    environment_files: tuple[EnvironmentFile, ...] = ()
    secret_readers: Mapping[str, tuple[str, ...]] = {}
    secret_copies: tuple[MountedSecret, ...] = ()
    state: tuple[str, ...] = ()
    host_paths: tuple[str, ...] = ()
    home: tuple[str, ...] = ()
    waits: Mapping[str, tuple[str, ...]] = {}
    volumes: Mapping[str, str] = {}
    unsaid: tuple[str, ...] = ()
    rules: Mapping[str, Rule] = {}
    compose_needs: Mapping[str, str] = {}

    @model_validator(mode="after")
    def _pinned(self) -> "Release":
        for service, reference in self.services.items():
            if "@sha256:" not in reference or reference not in self.images:
                raise ValueError(f"{service} runs {reference}, which is no digest that the release describes")
        return self

    def document(self) -> bytes:
        """The release as JSON, the same bytes for the same release."""
        return (self.model_dump_json(indent=2) + "\n").encode()

    def override(self, file_labels: Mapping[str, str]) -> bytes:
        """A compose override that pins every service to its digest.

        A read-only bind mount keeps its path from release to release, so Compose would not notice new content;
        a label with the content's hash makes it restart exactly the services whose files changed.
        """
        services: dict[str, Any] = {}
        for name, reference in sorted(self.services.items()):
            services[name] = {"image": reference}
            if name in file_labels:
                services[name]["labels"] = {FILES_LABEL: file_labels[name]}
        return dump_compose({"services": services})


def read_release(document: bytes) -> Release:
    """Parse a release document.

    Raises:
        BadRelease: it is damaged, or of a format this version does not know.
    """
    try:
        release = Release.model_validate_json(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise BadRelease(
            f"release document: {'.'.join(map(str, first['loc']))}: {first['msg']}. "
            "It was written by another version, or is damaged: build and push this tag again"
        ) from None
    if release.format != FORMAT:
        raise BadRelease(
            f"release {release.tag} is of format {release.format}; this version of Slipway reads format {FORMAT}. "
            "Deploy it with the version that built it, or build it again"
        )
    return release


def content_hash(parts: Mapping[str, bytes]) -> str:
    """A short hash (16 hex digits) over named contents; the order of the names does not matter."""
    return streamed_hash((name, len(parts[name]), (parts[name],)) for name in sorted(parts))


def streamed_hash(parts: Iterable[tuple[str, int, Iterable[bytes]]]) -> str:
    """The same over names in their order, each with its content's length and pieces."""
    digest = hashlib.sha256()
    for name, size, pieces in parts:
        known = name.encode("utf-8", "surrogateescape")
        digest.update(len(known).to_bytes(8, "big") + known + size.to_bytes(8, "big"))
        for piece in pieces:
            digest.update(piece)
    return digest.hexdigest()[:16]
