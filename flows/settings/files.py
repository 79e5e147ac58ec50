"""The settings files: which there are for a run, and what they say of it.

The operator's own are `slipway.toml` of the working directory and the file that SLIPWAY_SETTINGS names. A stack brings
the one beside its compose file, or at the root of its repository; whoever may push there writes it, so it is read as
what a stranger wrote, and may not say everything (flows/core/control/groups.py:OPERATORS).
"""

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic_settings import SettingsError

from flows.core.control.destinations import (
    choose_destination,
    destination_names,
    layers,
    merged,
    operators_part,
    refuse_shared_droplets,
)
from flows.core.control.settings_file import LARGEST, SettingsFile, read_settings_file
from flows.core.errors import BadSettings, SlipwayError
from flows.core.stack.stack import inside
from flows.settings.choice import Choice, CommitFile, current_choice
from flows.settings.notices import note

FILE = "slipway.toml"


def settings_of_files(*given: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """What the settings files say of the run that asks, and its destination ('' where there is none).

    Args:
        given: what is said elsewhere, the strongest first: in code, in the environment, in `.env`.

    Raises:
        BadSettings, OperatorSetting, UnknownDestination, DestinationNeeded, SharedDroplet
    """
    destination, own, beside = _files(*given)
    return merged(layers(destination, own, beside)), "" if current_choice().anywhere else destination


def said_by_files(*given: Mapping[str, Any]) -> tuple[list[tuple[str, Mapping[str, Any]]], dict[str, str]]:
    """What each layer of the settings files says of the run that asks, the strongest first, with the file's name and
    part; and which settings stand at an old place: flat name → file. Arguments and errors are those of
    `settings_of_files`.
    """
    destination, own, beside = _files(*given)
    files = [*own, *([beside] if beside else [])]
    parts = [f"{file.origin} [destinations.{destination}]" for file in files]
    names = [*parts, *(file.origin for file in ([beside] if beside else [])), *(file.origin for file in own)]
    old = {flat: file.origin for file in reversed(files) for flat in file.old}
    return list(zip(names, layers(destination, own, beside), strict=True)), old


def _files(*given: Mapping[str, Any]) -> tuple[str, list[SettingsFile], SettingsFile | None]:
    """The destination, the operator's own files, and the one that the stack brings."""
    choice = current_choice()
    asked = choice.destination or _first(given, "destination")
    own = own_files(choice.commit)
    mine = merged(layers(asked, own, None))
    if choice.anywhere:
        return str(asked or ""), own, None
    stack = choice.stack or _first(given, "stack") or mine.get("stack") or "compose"
    roots = _first(given, "source_roots") or mine.get("source_roots") or ()
    beside = _brought(choice, str(stack), roots if isinstance(roots, list | tuple) else ())
    if beside:
        beside.refuse_operators(own)
    files = [*([beside] if beside else []), *own]
    for file in files:
        note(file.notice)
    destination = choose_destination(str(asked or ""), files)
    refuse_shared_droplets({name: merged(layers(name, own, beside)) for name in destination_names(files)})
    return destination, own, beside


def own_files(commit: CommitFile | None = None) -> list[SettingsFile]:
    """The operator's own settings files, the strongest first.

    Args:
        commit: where this counts instead of what lies in the checkout, only the operator's part of that remains.

    Raises:
        BadSettings
    """
    base = os.environ.get("SLIPWAY_SETTINGS", "")
    if base and not Path(base).is_file():
        raise SettingsError(f"SLIPWAY_SETTINGS names {base}, and there is no such file")
    if not base and (state := os.environ.get("SLIPWAY_STATE")):  # how a lab of version 0.1 says the same
        base = str(Path(state) / "settings.toml")
    found = []
    for place in (FILE, base):
        if place and os.path.isfile(place):
            file = read_settings_file(_text(place, follow=True), place)
            replaced = commit and commit.text is not None and os.path.realpath(place) == commit.replaces
            found.append(operators_part(file) if replaced else file)
    return found


def known_destinations(directory: str) -> tuple[str, ...]:
    """The destinations that the settings files of this process, and of a directory, define; one that cannot be read
    says none."""
    place = os.path.join(directory, FILE)
    try:
        there = [read_settings_file(_text(place, follow=False), place)] if os.path.isfile(place) else []
        return destination_names([*own_files(), *there])
    except (SlipwayError, SettingsError):
        return ()


def find_beside(stack: str) -> str:
    """The settings file that a stack brings (absolute): beside its compose file, or at the root of its repository.

    '' where there is none.
    """
    first = Path(stack.split(os.pathsep, maxsplit=1)[0])
    if not first.exists():
        return ""
    directory = (first if first.is_dir() else first.parent).resolve()
    top = next((place for place in (directory, *directory.parents) if (place / ".git").exists()), directory)
    return next((str(place / FILE) for place in (directory, top) if os.path.lexists(place / FILE)), "")


def _brought(choice: Choice, stack: str, roots: Sequence[str]) -> SettingsFile | None:
    """What the stack's own file says, where there is one that is not the operator's as well."""
    if commit := choice.commit:
        return None if commit.text is None else read_settings_file(commit.text, commit.origin)
    place = find_beside(stack)
    if not place or os.path.dirname(place) == os.path.realpath(os.curdir):
        return None
    if roots and not any(inside(place, os.path.realpath(os.path.expanduser(root))) for root in roots):
        return None  # what runs may not name is not read; the run itself is refused by that name
    return read_settings_file(_text(place, follow=False), place)


def _text(place: str, *, follow: bool) -> str:
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW))
    except OSError as error:
        link = "is a link, and a settings file that comes with a stack is none" if os.path.islink(place) else ""
        raise BadSettings(f"{place}: {link or f'cannot be read: {error.strerror}'}") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise BadSettings(f"{place}: is no file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(LARGEST + 1)
    finally:
        os.close(descriptor)
    return decoded(content, place)


def decoded(content: bytes, origin: str) -> str:
    """A settings file's text.

    Raises:
        BadSettings: it is too large, or no UTF-8.
    """
    if len(content) > LARGEST:
        raise BadSettings(f"{origin}: has more than {LARGEST:,} bytes, so it is no settings file")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise BadSettings(f"{origin}: is no text in UTF-8 (byte {error.start})") from None


def _first(given: Sequence[Mapping[str, Any]], name: str) -> Any:
    return next((said[name] for said in given if said.get(name)), None)
