"""Reads what releases hold, for a comparison: from the registry, and what stands on a droplet."""

import hashlib
import posixpath
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from blocks import ContainerRegistry
from blocks.errors import OutsideError
from flows.core.droplet.directories import ENVIRONMENT, StackDirectory
from flows.core.droplet.sections import section_script, sections
from flows.core.errors import BadTag, NothingDeployed, ReleaseNotFound, SlipwayError
from flows.core.insight.comparison.contents import (
    ReleaseContents,
    all_files,
    written_keys,
    written_networks,
    written_settings,
)
from flows.core.registry.references import is_tag
from flows.core.release.bundle import DOCUMENT, FILES, TREE, ReleaseFiles
from flows.core.release.release import Release, read_release
from flows.core.release.tree import Tree, read_tree
from flows.core.secrets.release_environment import OWN
from flows.core.stack.compose_files import collect_files
from flows.core.stack.env_files import parse
from flows.core.trust.origin import read_sbom
from flows.settings import Settings
from flows.tasks.deploy.reading import compose_version
from flows.tasks.droplet.connection import QUICK
from flows.tasks.droplet.target import Target
from flows.tasks.release.fetch import read_published
from flows.tasks.runs.blocks import load_droplet, load_registry, load_trusted_keys
from flows.tasks.runs.log_masking import mask
from flows.tasks.stack.reading import ComposeReader
from flows.tasks.trust.attestation import SBOM, attested

CURRENT = "current"


@dataclass(frozen=True)
class ReleasesRead:
    """Where releases are read.

    Args:
        stack: the whole stack's name.
        droplet: the one that `current` means.
    """

    stack: str
    droplet: str | None
    settings: Settings

    def read(self, called: str) -> ReleaseContents:
        """What a release holds.

        Args:
            called: its tag, `current`, or `current:DROPLET`.

        Raises:
            BadTag, ReleaseNotFound, BadRelease, NothingDeployed, BlockMissing
        """
        word, _, droplet = called.partition(":")
        if word == CURRENT:
            return self._current(called, droplet or self.droplet)
        if not is_tag(called):
            raise BadTag(f"{mask(called)[:100]!r} is no tag of a release, nor {CURRENT} or {CURRENT}:DROPLET")
        published = read_published.fn(self.stack, called, load_registry(self.settings))
        return contents_of(called, published.release, published.files, self.settings)

    def _current(self, called: str, droplet: str | None) -> ReleaseContents:
        settings = self.settings
        name = settings.refuse_divided(droplet or settings.deployed_to)
        target = Target.of(load_droplet(name), settings.name_on(name, self.stack), settings)
        with target.connected() as session:
            said = session.run(standing_script(target.directory), timeout=QUICK).out
        here, tree, variables = read_standing_release(said)
        if here is None:
            raise NothingDeployed(f"droplet {name} carries no release of stack {self.stack}. Look: slipway status")
        return replace(self._beside(called, name, here, tree), variables=variables)

    def _beside(self, called: str, droplet: str, here: Release, tree: Tree) -> ReleaseContents:
        """What stands on a droplet, with the compose files of the same release in the registry."""
        try:
            published = read_published.fn(self.stack, here.tag, load_registry(self.settings))
        except (ReleaseNotFound, OutsideError) as error:
            why = f"what stands on {droplet} is not in the registry, so its settings are not known ({mask(str(error))})"
            return ReleaseContents(called, here, tree, notes=(why,))
        theirs = published.release
        if any(theirs.services.get(name) != reference for name, reference in here.services.items()):
            why = f"tag {here.tag} means another release in the registry than on {droplet}: its settings are not known"
            return ReleaseContents(called, here, tree, notes=(why,))
        found = contents_of(called, theirs, published.files, self.settings)
        return replace(found, release=here, settings=_of(found.settings, here), keys=_of(found.keys, here))


def standing_script(directory: StackDirectory) -> str:
    """The script that prints the release that stands on a droplet: document, files, environment; nothing is changed."""
    at = shlex.quote(directory.current)
    return section_script({
        "release": f"cat {at}/{DOCUMENT} 2>/dev/null",
        "files": f"cat {at}/{TREE} 2>/dev/null",
        "variables": f"cat {at}/{ENVIRONMENT} 2>/dev/null",
    })  # fmt: skip


def read_standing_release(output: str) -> tuple[Release | None, Tree, dict[str, str] | None]:
    """Parse what `standing_script` printed: the release, its files, and variable → a hash of its value.

    Raises:
        BadRelease
    """
    parts = sections(output)
    if not parts.get("release"):
        return None, {}, None
    tree = read_tree(parts["files"].encode()) if parts.get("files") else {}
    said = parse(parts["variables"]) if parts.get("variables") else None
    hashed = {n: hashlib.sha256(v.encode()).hexdigest()[:16] for n, v in said.items() if n not in OWN} if said else None
    return read_release(parts["release"].encode()), all_files({}, tree), hashed


def contents_of(called: str, release: Release, files: ReleaseFiles, settings: Settings) -> ReleaseContents:
    """What a published release holds; its compose files are merged by Compose, with variables left as they are."""
    found = ReleaseContents(called, release, all_files(files.own, files.tree))
    if not compose_version(settings):
        return replace(found, notes=("there is no Docker Compose here, so settings are not compared",))
    try:
        reader = ComposeReader(settings, {})
        given = [f"/{posixpath.join(FILES, file)}" for file in release.compose_files]
        texts = collect_files(given, lambda path: files.own[path.lstrip("/")].content.decode(), lambda text: text)
        config = reader.raw(given, {path: text.encode() for path, text in texts.items()}, release.profiles)
    except (SlipwayError, KeyError) as error:
        why = "a file that they name is not in it" if isinstance(error, KeyError) else mask(str(error))
        return replace(found, notes=(f"the compose files of {release.tag} cannot be read: {why}",))
    written = written_settings(config), written_keys(config), written_networks(config)
    return replace(found, settings=written[0], keys=written[1], networks=written[2])


def with_packages(found: Sequence[ReleaseContents], settings: Settings) -> list[ReleaseContents]:
    """The same with the packages of images that differ, where a trusted key attested them."""
    keys, registry = load_trusted_keys(settings), load_registry(settings)
    have = Counter(reference for one in found for reference in set(one.release.services.values()))
    wanted = sorted(reference for reference, count in have.items() if count < len(found)) if keys else []
    packages = {}
    notes: tuple[str, ...] = ()
    for reference in wanted:
        try:
            if (listed := _packages(reference, registry, settings)) is not None:
                packages[reference] = listed
        except (SlipwayError, OutsideError) as error:
            notes = (f"SBOMs could not be read: {mask(str(error))}",)
            break
    return [replace(one, packages=packages, notes=(*one.notes, *notes)) for one in found]


def _packages(reference: str, registry: ContainerRegistry, settings: Settings) -> dict[str, str] | None:
    _, said = attested(reference, load_trusted_keys(settings), registry, settings)
    if SBOM not in said:
        return None
    packages, _ = read_sbom(said[SBOM], reference.rpartition("@")[2])
    found: dict[str, str] = {}
    for one in packages:
        name = f"{one.kind} {one.name}"
        found[name] = ", ".join(filter(None, (found.get(name), one.version)))
    return found


def _of(found: Mapping[str, Mapping[str, str]] | None, release: Release) -> Mapping[str, Mapping[str, str]] | None:
    return None if found is None else {name: one for name, one in found.items() if name in release.services}
