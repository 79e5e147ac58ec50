"""Reads a repository's compose files, and finds what `slipway init` would change there."""

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flows.core.control.beginning.images import by_default
from flows.core.control.beginning.proposal import FIELD, Proposal, propose, unsaid_state
from flows.core.control.beginning.services import WrittenServices, written_services
from flows.core.control.beginning.starting_files import SETTINGS_FILE, ci_file, ci_kind, starting_settings
from flows.core.control.beginning.text import with_proposals
from flows.core.errors import BrokenStack, FileChanged
from flows.core.stack.compose_files import collect_files
from flows.tasks.stack.git import checkout_of, git
from flows.tasks.stack.project import find_compose_files


@dataclass(frozen=True)
class FileChange:
    """One file that would be written.

    Args:
        before: what it holds; None where there is no such file.
        why: where what is proposed comes from, one sentence a service.
    """

    path: Path
    before: bytes | None
    after: bytes
    why: tuple[str, ...] = ()

    def diff(self, base: Path) -> list[str]:
        """The lines of a unified diff, with paths as seen from a directory."""
        name = os.path.relpath(self.path, base)
        old = (self.before or b"").decode().splitlines()
        new = self.after.decode().splitlines()
        source = "/dev/null" if self.before is None else f"a/{name}"
        return list(difflib.unified_diff(old, new, source, f"b/{name}", lineterm=""))


@dataclass(frozen=True)
class Beginning:
    """What a repository needs to be released.

    Args:
        left: what is there already and stays as it is, in words.
        unplaced: proposals that no file takes as it is written.
        unsaid: service → what it may write to, where nobody says whether that is state.
    """

    directory: Path
    changes: tuple[FileChange, ...]
    left: tuple[str, ...]
    unplaced: tuple[Proposal, ...]
    unsaid: Mapping[str, tuple[str, ...]] = field(hash=False)


def find_beginning(stack: str, ci_source: str = "", *, promote: bool = False) -> Beginning:
    """What would be changed for the stack of this path. Changes nothing and needs no engine.

    Args:
        stack: a compose file, several joined by ':', or a directory.
        ci_source: what pip installs Slipway from in the CI; '' for no workflow.
        promote: whether the workflow moves traffic, too.

    Raises:
        StackNotFound, BrokenStack, BadParameter
    """
    given = find_compose_files(stack)
    directory = Path(given[0]).parent
    texts = _texts(given)
    written = written_services(given, texts)
    proposals = propose(written.specs)
    held = _held(written, proposals)
    unplaced = list(held)
    changes, left = [], []
    for path, some in _by_file(written, proposals, {one.service for one in held}).items():
        edited = with_proposals(texts[path], some)
        unplaced += edited.unplaced
        if edited.placed:
            why = tuple(f"{name}: {', '.join(some[name].why)}" for name in edited.placed)
            changes.append(FileChange(Path(path), texts[path].encode(), edited.content.encode(), why))
    has = sorted(name for name, spec in written.specs.items() if FIELD in spec)
    if has:
        left.append(f"{', '.join(has)}: {FIELD} is there already")
    settings = directory / SETTINGS_FILE
    if os.path.lexists(settings):
        left.append(f"{SETTINGS_FILE} is there already")
    else:
        changes.append(FileChange(settings, None, starting_settings().encode()))
    if ci_source:
        root = Path(checkout_of(str(directory)) or directory)
        kind = ci_kind(git(str(root), "remote", "get-url", "origin").stdout.strip())
        here = os.pathsep.join(os.path.relpath(Path(one).resolve(), root.resolve()) for one in stack.split(os.pathsep))
        name, text = ci_file(kind, ci_source, here, promote=promote)
        if os.path.lexists(root / name):
            left.append(f"{name} is there already")
        else:
            changes.append(FileChange(root / name, None, text.encode()))
    return Beginning(directory, tuple(changes), tuple(left), tuple(unplaced), unsaid_state(written.specs, proposals))


def write_change(change: FileChange) -> None:
    """Write one file; what it holds otherwise, or that it is there at all, must be as it was read.

    Raises:
        FileChanged: somebody else wrote it meanwhile.
    """
    path = Path(os.path.realpath(change.path))
    if change.before is None:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("xb") as file:
                file.write(change.after)
        except FileExistsError:
            raise FileChanged(
                f"{path} was written by somebody else just now; it was left. Run slipway init again"
            ) from None
        return
    if path.read_bytes() != change.before:
        raise FileChanged(f"{path} has changed since it was read; it was left. Run slipway init again")
    beside = path.with_name(f".{path.name}.slipway")
    try:
        beside.write_bytes(change.after)
        beside.chmod(path.stat().st_mode & 0o7777)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _texts(given: tuple[str, ...]) -> dict[str, str]:
    """The compose files byte by byte, and those they refer to, as far as these are here."""

    def text(path: str) -> str:
        return Path(path).read_bytes().decode()

    try:
        return collect_files(given, text, by_default)
    except BrokenStack:
        return collect_files(given, text, follow=False)


def _held(written: WrittenServices, proposals: Mapping[str, Proposal]) -> tuple[Proposal, ...]:
    """Proposals that another service would take over with what it extends, though it is not true of it."""
    held = {}
    for heir, bases in written.bases.items():
        own = proposals[heir].fields.keys() if heir in proposals else set()
        for base in bases & proposals.keys():
            if FIELD in written.specs[heir] or proposals[base].fields.keys() - own:
                held[base] = proposals[base]
    return tuple(held.values())


def _by_file(
    written: WrittenServices, proposals: Mapping[str, Proposal], held: set[str]
) -> dict[str, dict[str, Proposal]]:
    """Compose file → the proposals that belong into it: beside what defines the service."""
    found: dict[str, dict[str, Proposal]] = {}
    for name, one in proposals.items():
        if name not in held:
            found.setdefault(written.files[name][0], {})[name] = one
    return found
