"""Looks at the files that a stack mounts: what ships, what each holds, and what looks like a credential."""

import hashlib
import os
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from flows.core.errors import CredentialFound, UnreadableFile
from flows.core.release.archive import PIECE
from flows.core.release.shipment import Shipment, mounted_path, place_of
from flows.core.release.tree import Entry, shown
from flows.core.secrets.credentials import KeyScanner, credential_by_content, credential_by_name
from flows.core.stack.files.shipped_files import StackFiles
from flows.settings import Settings
from flows.tasks.release.files.walk import WRITTEN, Found, unreadable, walk
from flows.tasks.stack.env_file import read_private

# A secret of three letters is the content of many an innocent file.
_TELLING = 4
_CHOICES = (
    "Nothing was published. For each choose one. It is a secret: name it under `secrets:` (or `env_file:`), and the "
    "environment block holds it. It is not needed: name it in .slipwayignore. It is meant to be in the registry: "
    "write !PATH into .slipwayignore, or set SLIPWAY_SHIPS"
)


def find_shipment(
    sources: StackFiles, held: Mapping[str, bytes], settings: Settings
) -> tuple[Shipment, tuple[str, ...]]:
    """What of a source ships, and the files of it that look like credentials.

    Args:
        held: what the environment block holds: path from the compose file's directory → content.

    Raises:
        ReleaseTooLarge: before anything was read.
        LinkLeadsOut, UnreadableFile, BrokenStack
    """
    found = walk(sources, settings)
    secrets = _known_contents(sources, held)
    with ThreadPoolExecutor(4) as pool:
        looked = dict(zip(found.files, pool.map(lambda one: _look(one, secrets), found.files.values()), strict=True))
    suspects = [f"{sources.relative(found.files[n].path)} ({one.suspect})" for n, one in looked.items() if one.suspect]
    tree = {**found.others, **{name: one.entry for name, one in looked.items()}}
    state = tuple(sources.relative(path) for path in sources.state)
    places = [(sources.relative(path), path in sources.state) for path in (*sources.shipped, *sources.state)]
    shipment = Shipment(
        tree,
        {name: found.files[name].path for name, entry in tree.items() if entry.kind == "file"},
        tuple(mounted_path(tree, path, place_of(path, state), written) for path, written in places),
        found.left_out,
    )
    return shipment, tuple(map(shown, suspects))


def refuse_credentials(suspects: Collection[str]) -> None:
    """Refuse to publish what looks like a credential.

    Raises:
        CredentialFound
    """
    if suspects:
        raise CredentialFound(
            f"{', '.join(suspects)}: would be published with what is mounted, and looks like a credential. {_CHOICES}"
        )


@dataclass(frozen=True)
class _Looked:
    entry: Entry
    suspect: str = ""


def _known_contents(sources: StackFiles, held: Mapping[str, bytes]) -> dict[str, str]:
    """Hash of what an env or secret file holds → its path, below the root. Such a content ships under no name."""
    base = os.path.dirname(sources.compose_files[0])
    contents = {os.path.normpath(os.path.join(base, path)): content for path, content in held.items()}
    known = {}
    for entry in sources.environment_files:
        texts = [contents[entry.path]] if entry.path in contents else []
        if os.path.isfile(entry.path):
            texts.append(read_private(entry.path))
        for text in texts:
            if len(text.strip()) >= _TELLING:
                known[hashlib.sha256(text).hexdigest()] = sources.relative(entry.path)
    return known


def _look(found: Found, secrets: Mapping[str, str]) -> _Looked:
    """Read a file once: what it holds, and whether that must not be published."""
    name = os.path.basename(found.path)
    suspect = "" if found.meant else credential_by_name(name)
    digest, keys, size, whole = hashlib.sha256(), KeyScanner(), 0, b""
    try:
        with open(found.path, "rb") as file:
            while piece := file.read(PIECE):
                digest.update(piece)
                keys.feed(piece)
                size += len(piece)
                whole = whole or piece
            changed = os.fstat(file.fileno()).st_mtime_ns != found.changed_ns or size != found.size
    except OSError as error:
        raise unreadable(found.path, error) from None
    if changed:
        raise UnreadableFile(f"{found.path} changed while it was read. {WRITTEN}")
    content = digest.hexdigest()
    if content in secrets:
        return _Looked(Entry("given", found.mode, target=secrets[content]))
    if not found.meant:
        suspect = suspect or ("a private key" if keys.found else "") or credential_by_content(name, whole)
    return _Looked(Entry("file", found.mode, size, content), suspect)
