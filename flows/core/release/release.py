"""The release: one immutable build of a stack, and its document, which is published with it."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from flows.core.errors import BadRelease
from flows.core.registry.references import is_digest, is_pinned, is_tag
from flows.core.release.bundle import FILES, SEED
from flows.core.release.tree import Tree, is_inside, parents, shown
from flows.core.stack.compose_yaml import dump_compose
from flows.core.stack.files.mounts import Rule
from flows.core.stack.files.secret_modes import MountedSecret
from flows.core.stack.files.shipped_files import EnvironmentFile
from flows.core.stack.side_by_side.facts import SideBySide

# Names as Compose has them: of a project, and of what is in it.
_STACK = re.compile(r"[a-z0-9][a-z0-9_-]*")
_NAME = re.compile(r"[a-zA-Z0-9._-]+")


def _refusing(well: Callable[[str], object], what: str) -> AfterValidator:
    def check(value: str) -> str:
        if not well(value):
            raise ValueError(f"{value[:200]!r} is no {what}")
        return value

    return AfterValidator(check)


StackName = Annotated[str, _refusing(_STACK.fullmatch, "name of a stack")]
Tag = Annotated[str, _refusing(is_tag, "tag")]
Name = Annotated[str, _refusing(_NAME.fullmatch, "name of a service, secret or volume")]
Digest = Annotated[str, _refusing(is_digest, "digest")]
PinnedImage = Annotated[str, _refusing(is_pinned, "image with a digest")]
# A file or directory below the root of the release's files; never the root itself, which the release replaces whole.
Place = Annotated[str, _refusing(is_inside, "path below the release's files")]

FORMAT = 1
FILES_LABEL = "dev.slipway.files"
_PLACE, _NAMES = TypeAdapter(Place), TypeAdapter(list[Name])
_Placed = TypeVar("_Placed", EnvironmentFile, MountedSecret)
_FROZEN = ConfigDict(frozen=True, extra="forbid")


class Layer(BaseModel):
    """One compressed layer of an image, in bytes."""

    model_config = _FROZEN
    digest: Digest
    size: int = Field(ge=0)


class SignedAs(BaseModel):
    """What an image is signed as: of which service and release, or the copy of which image from elsewhere it is.

    An image that has not changed since an earlier release is signed as that one's.
    """

    model_config = _FROZEN
    service: str = ""
    release: Tag
    commit: str = ""
    source: str = ""


class Image(BaseModel):
    """One image: its platforms (`linux/amd64`; several for an index), its layers, and what it is signed as."""

    model_config = _FROZEN
    platforms: tuple[str, ...] = ()
    layers: tuple[Layer, ...] = ()
    built: bool = True
    signed: SignedAs | None = Field(None, exclude_if=lambda signed: signed is None)


class Release(BaseModel):
    """One release of a stack. Paths are relative to the root of its files, which keep their places in the source.

    It comes from the registry, so every name, path and digest has a type that refuses what no release of ours holds.

    `committed` is when its commit was made, ISO 8601, UTC; '' where that is not known.
    `services` maps each service to `repository@sha256:…`; `images` says more of each of these references.
    `secret_readers` says which secret files each service mounts; `secret_copies` are the mounts that need a file of
    their own, because they have another mode than the file in its place.
    `state` are paths that services write to; a droplet keeps them across releases. `rules` says of some what becomes of
    a file that both the release and a service have changed; where nothing is said, the service's stays.
    `home` are the services that run once, on the data home; `volumes` are the names of their volumes on a droplet.
    `waits` says which services wait for which between data home and colours. `unsaid` are services that keep state and
    do not say where it lives. `compose_needs` maps each field that not every Compose knows, with its place, to the
    version that brought it. `side_by_side` is what two colours on one droplet must know (None in older releases).
    """

    model_config = _FROZEN

    format: int = FORMAT
    stack: StackName
    tag: Tag
    commit: str | None = None
    committed: str = Field("", exclude_if=lambda when: not when)
    compose_files: tuple[Place, ...] = Field(min_length=1)
    profiles: tuple[str, ...] = ()
    services: Mapping[Name, PinnedImage]
    images: Mapping[PinnedImage, Image]
    registry: str
    environment_files: tuple[EnvironmentFile, ...] = ()
    secret_readers: Mapping[Name, tuple[Place, ...]] = {}
    secret_copies: tuple[MountedSecret, ...] = ()
    state: tuple[Place, ...] = ()
    host_paths: tuple[str, ...] = ()
    home: tuple[Name, ...] = ()
    waits: Mapping[Name, tuple[Name, ...]] = {}
    volumes: Mapping[Name, str] = {}
    unsaid: tuple[str, ...] = ()
    rules: Mapping[Place, Rule] = {}
    compose_needs: Mapping[str, str] = {}
    side_by_side: SideBySide | None = Field(None, exclude_if=lambda facts: facts is None)

    @model_validator(mode="after")
    def _pinned(self) -> "Release":
        for service, reference in self.services.items():
            if reference not in self.images:
                raise ValueError(f"{service} runs {reference}, which is no image that the release describes")
        return self

    @field_validator("environment_files", "secret_copies")
    @classmethod
    def _placed(cls, files: tuple[_Placed, ...]) -> tuple[_Placed, ...]:
        """On a build host these hold absolute paths, so their own type allows them."""
        for file in files:
            _PLACE.validate_python(file.path)
            if not 0 <= file.mode <= 0o7777:
                raise ValueError(f"{file.path!r} has the mode {file.mode}")
            if isinstance(file, MountedSecret):
                _NAMES.validate_python([file.service, file.secret])
        return files

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


def refuse_misplaced(release: Release, tree: Tree) -> None:
    """Refuse a release that services would write through one of its own links: on a droplet what stands at such a path
    is removed first, and a link may lead anywhere.

    Raises:
        BadRelease
    """
    for path in release.state:
        for name in (f"{FILES}/{path}", f"{SEED}/{path}"):
            through = next((p for p in parents(name) if p in tree and tree[p].kind != "directory"), "")
            if through:
                raise BadRelease(
                    f"release {release.tag} of {release.stack}: services write to {shown(path)}, which lies below "
                    f"{shown(through)}, and that is no directory. Build and push this tag again"
                )


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
