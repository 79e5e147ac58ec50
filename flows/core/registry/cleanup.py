"""The clean-up of a registry: which tags and manifests are removed. What a droplet or a kept release needs never is."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from flows.core.registry.references import SIGNATURE_TAG

LATEST = "latest"
NOT_OURS = "no kept release is published to this repository"
# A manifest: its repository and its digest.
ManifestId = tuple[str, str]


@dataclass(frozen=True)
class RegistryManifest:
    """One manifest in a repository of the registry: its tags, and its compressed size in bytes."""

    repository: str
    digest: str
    tags: tuple[str, ...] = ()
    size: int = 0

    @property
    def place(self) -> ManifestId:
        return (self.repository, self.digest)


@dataclass(frozen=True)
class ManifestLinks:
    """The links between manifests.

    Args:
        parts: manifests that an image index refers to.
        about: manifest without a tag → the one that it signs or attests.
    """

    parts: Collection[ManifestId] = frozenset()
    about: Mapping[ManifestId, ManifestId] = field(default_factory=dict)


@dataclass(frozen=True)
class NeededRelease:
    """A release that stays, why, and the manifests it needs.

    `built` are those of `images` that were made for it: the images it built, and its own files. Where it only takes an
    image from, others publish too, so nothing is removed there.
    """

    stack: str
    tag: str
    why: str
    images: frozenset[ManifestId]
    built: frozenset[ManifestId]

    @property
    def repositories(self) -> frozenset[str]:
        """The repositories that its stack publishes to."""
        return frozenset(repository for repository, _ in self.built)


@dataclass(frozen=True)
class CleanupItem:
    """One tag or, where `tag` is empty, one manifest: whether it is removed, and why."""

    repository: str
    digest: str
    tag: str
    goes: bool
    why: str
    size: int = 0

    @property
    def name(self) -> str:
        """The tag, or the beginning of the digest."""
        return self.tag or self.digest[:19]


@dataclass(frozen=True)
class CleanupPlan:
    """The plan of a clean-up: every item, and kept manifests that have no tag."""

    fates: tuple[CleanupItem, ...]
    untagged: tuple[RegistryManifest, ...] = field(default=())

    @property
    def goes(self) -> tuple[CleanupItem, ...]:
        return tuple(fate for fate in self.fates if fate.goes)

    @property
    def size(self) -> int:
        """Bytes of the manifests that are removed; shared layers count with each."""
        return sum(fate.size for fate in self.goes if not fate.tag)

    def rows(self, most: int = 500) -> list[dict[str, object]]:
        """The plan as rows of a table, what is removed first."""
        ordered = sorted(self.fates, key=lambda f: (not f.goes, f.repository, f.tag, f.digest))
        return [
            {
                "": "goes" if f.goes else "stays",
                "repository": f.repository,
                "what": f.name,
                "why": f.why,
            }
            for f in ordered[:most]
        ]


@dataclass(frozen=True)
class CleanupResult:
    """Result of a clean-up. Sizes are in bytes, times in seconds; `read_only` is how long nothing could be pushed."""

    registry: str
    sweep: CleanupPlan
    dry_run: bool
    blobs: int
    freed: int
    read_only: float
    seconds: float


def plan_collection(
    stored: Sequence[RegistryManifest], kept: Iterable[NeededRelease], ties: ManifestLinks = ManifestLinks()
) -> CleanupPlan:
    """The plan of a garbage collection: manifests without a tag that nothing needs, and signatures of removed ones.

    Only in repositories that the kept releases are published to.
    """
    releases = list(kept)
    needed, ours = _needed(releases), {name for release in releases for name in release.repositories}
    fates, untagged, judged_later, staying = [], [], [], set()
    for one in stored:
        if one.place in needed:
            fates.append(_stays(one, needed[one.place]))
            untagged += [] if one.tags else [one]
        elif one.repository not in ours:
            fates.append(_stays(one, NOT_OURS))
        elif one.place in ties.parts:
            fates.append(_stays(one, "part of an image for several platforms"))
        elif _subjects(one, ties):
            judged_later.append(one)
            continue
        elif one.tags:
            fates.append(_stays(one, f"tagged {one.tags[0]}"))
        else:
            why = "no tag, and no kept release needs it"
            fates.append(CleanupItem(one.repository, one.digest, "", True, why, one.size))
            continue
        staying.add(one.place)
    for one in judged_later:
        stays = any(subject in staying for subject in _subjects(one, ties))
        why = "signature of what stays" if stays else "signature of what is gone"
        fates.append(CleanupItem(one.repository, one.digest, "", not stays, why, one.size))
    return CleanupPlan(tuple(fates), tuple(untagged))


def _subjects(one: RegistryManifest, ties: ManifestLinks) -> list[ManifestId]:
    """The manifests that this one signs or attests, by all its tags or by its content; none for any other manifest."""
    if not one.tags:
        return [ties.about[one.place]] if one.place in ties.about else []
    about = [match[1] for tag in one.tags if (match := SIGNATURE_TAG.fullmatch(tag))]
    return [(one.repository, f"sha256:{digest}") for digest in about] if len(about) == len(one.tags) else []


def plan_retention(
    stored: Sequence[RegistryManifest], kept: Sequence[NeededRelease], old: Mapping[str, Collection[str]]
) -> CleanupPlan:
    """The plan of a retention: the tags of old releases are removed.

    Only in repositories that the stack's kept releases are published to, and never the last tag of a manifest that one
    needs.

    Args:
        old: stack → the tags in its repositories that mean old releases, as the registry has them.
    """
    needed = _needed(kept)
    rooms: dict[str, set[str]] = {}
    for release in kept:
        for repository in release.repositories:
            rooms.setdefault(repository, set()).add(release.stack)
    gone = {stack: frozenset(tags) for stack, tags in old.items()}
    fates = []
    for one in stored:
        why = needed.get(one.place, "")
        wanted = [tag for tag in one.tags if any(tag in gone.get(s, ()) for s in rooms.get(one.repository, ()))]
        going = wanted if not why or len(wanted) < len(one.tags) else []
        for tag in one.tags:
            stays = why or ("not of an old release" if one.repository in rooms else NOT_OURS)
            said = "of a release that is not kept" if tag in going else stays
            fates.append(CleanupItem(one.repository, one.digest, tag, tag in going, said, one.size))
    return CleanupPlan(tuple(fates))


def old_tags(
    published: Mapping[str, Sequence[tuple[str, str]]], keep: int, held: Iterable[NeededRelease]
) -> dict[str, list[str]]:
    """Stack → tags of releases that are neither among the newest nor on a droplet.

    Args:
        published: stack → (tag, when), as the registry has them.
        keep: how many of the newest stay.
        held: releases that droplets keep.
    """
    on_droplets: dict[str, set[str]] = {}
    for release in held:
        on_droplets.setdefault(release.stack, set()).add(release.tag)
    return {
        stack: [
            tag
            for place, (tag, _) in enumerate(sorted(releases, key=lambda r: r[1], reverse=True))
            if place >= keep and tag not in on_droplets.get(stack, ()) and tag != LATEST
        ]
        for stack, releases in published.items()
    }


def tags_as_stored(
    old: Mapping[str, Collection[str]], stored: Iterable[RegistryManifest], kept: Iterable[NeededRelease]
) -> dict[str, set[str]]:
    """The tags of old releases in a repository that all images share: `NAME-TAG`, for each name of a kept release.

    A longer tag with the same ending is another release's.
    """
    needed: dict[ManifestId, list[NeededRelease]] = {}
    for release in kept:
        for image in release.built:
            needed.setdefault(image, []).append(release)
    names: dict[str, set[str]] = {}
    every = list(stored)
    for one in every:
        for release in needed.get(one.place, ()):
            ending = f"-{release.tag}"
            found = {tag.removesuffix(ending) for tag in one.tags if tag.endswith(ending)}
            names.setdefault(release.stack, set()).update(found)
    return {stack: {f"{name}-{tag}" for name in names.get(stack, ()) for tag in tags} for stack, tags in old.items()}


def _needed(kept: Iterable[NeededRelease]) -> dict[ManifestId, str]:
    found: dict[ManifestId, str] = {}
    for release in kept:
        for image in release.images:
            found.setdefault(image, f"release {release.tag} of {release.stack}, {release.why}")
    return found


def _stays(one: RegistryManifest, why: str) -> CleanupItem:
    return CleanupItem(one.repository, one.digest, "", False, why, one.size)
