"""Lists what a release ships: walks what the stack mounts, refuses what must not be published, and hashes the rest."""

import hashlib
import os
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from prefect import task
from prefect.logging import get_run_logger

from flows.core.errors import CredentialFound, UnreadableFile
from flows.core.release.archive import PIECE
from flows.core.release.shipment import Shipment, mounted_path, place_of
from flows.core.release.tree import Entry, shown
from flows.core.secrets.credentials import KeyScanner, credential_by_content, credential_by_name
from flows.core.stack.files.shipped_files import StackFiles
from flows.settings import Settings
from flows.tasks.release.walk import SAID, WRITTEN, Found, unreadable, walk
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.retries import ONCE
from flows.tasks.stack.source import Source

# A secret of three letters is the content of many an innocent file.
_TELLING = 4
_CHOICES = (
    "Nothing was published. For each choose one. It is a secret: name it under `secrets:` (or `env_file:`), and the "
    "environment block holds it. It is not needed: name it in .slipwayignore. It is meant to be in the registry: "
    "write !PATH into .slipwayignore, or set SLIPWAY_SHIPS"
)


@task(name="list files", task_run_name="list the files that ship", **ONCE)
def list_files(source: Source, held: Mapping[str, bytes], settings: Settings) -> Shipment:
    """List all files of the source that the release brings. Nothing is read before it is known to be within limits.

    Args:
        held: what the environment block holds: path from the compose file's directory → content.

    Raises:
        ReleaseTooLarge, CredentialFound, LinkLeadsOut, UnreadableFile, BrokenStack
    """
    sources = source.sources
    found = walk(sources, settings)
    secrets = _known_contents(sources, held)
    with ThreadPoolExecutor(4) as pool:
        looked = dict(zip(found.files, pool.map(lambda one: _look(one, secrets), found.files.values()), strict=True))
    suspects = [f"{sources.relative(found.files[n].path)} ({one.suspect})" for n, one in looked.items() if one.suspect]
    if suspects:
        raise CredentialFound(
            f"{', '.join(map(shown, suspects))}: would be published with what is mounted, and looks like a "
            f"credential. {_CHOICES}"
        )
    tree = {**found.others, **{name: one.entry for name, one in looked.items()}}
    state = tuple(sources.relative(path) for path in sources.state)
    places = [(sources.relative(path), path in sources.state) for path in (*sources.shipped, *sources.state)]
    shipment = Shipment(
        tree,
        {name: found.files[name].path for name, entry in tree.items() if entry.kind == "file"},
        tuple(mounted_path(tree, path, place_of(path, state), written) for path, written in places),
        found.left_out,
    )
    _tell(shipment, source)
    return shipment


def _tell(shipment: Shipment, source: Source) -> None:
    log = get_run_logger()
    if not shipment.tree and not shipment.left_out:
        return
    for sentence in shipment.sentences():
        log.info("✓ %s", sentence)
    for why, sentence in shipment.omissions().items():
        if why in SAID:
            log.info("✓ %s", sentence)
        else:
            log.warning("%s", sentence)
    for path, services in source.sources.writers.items():
        if len(services) > 1:
            log.warning("%s is written by %s: each sees what the others write",
                        source.sources.relative(path), _and(services))  # fmt: skip
    table(f"files-{source.stack.name}", shipment.rows(), "What ships with the release, and what does not")


def _and(words: Collection[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


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
            texts.append(_read_secret(entry.path))
        for text in texts:
            if len(text.strip()) >= _TELLING:
                known[hashlib.sha256(text).hexdigest()] = sources.relative(entry.path)
    return known


def _read_secret(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise unreadable(path, error) from None


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
