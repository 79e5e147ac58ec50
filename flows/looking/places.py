"""The droplets that are looked at: their addresses and keys, read from the saved blocks."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from blocks.errors import OutsideError, PrefectFailed
from blocks.ssh.keys import SshTarget
from blocks.ssh.session import Session
from flows.api.blocks import read_blocks
from flows.api.client import PrefectApi
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.places import split_place
from flows.core.errors import BlockMissing, SlipwayError
from flows.core.release.role import part_stack
from flows.core.secrets.masking import file_values
from flows.settings import Settings
from flows.tasks.runs.log_masking import mask, register_secrets

Found = TypeVar("Found")
DROPLET = "slipway-droplet"
_SIDE_BY_SIDE = 16
# Who reads a block knows its secrets, and may meet an error of the system behind it.
OutsideError.shown = staticmethod(mask)
SlipwayError.shown = staticmethod(mask)


@dataclass(frozen=True)
class LookedAt:
    """A place that is looked at: a droplet, or a part of the stack on one.

    Args:
        name: of the Droplet block, with the part behind a slash where one is meant.
        directory: of the stack, or of its part, there.
    """

    name: str
    address: SshTarget
    key: str
    directory: StackDirectory

    def session(self) -> Session:
        """An SSH session, to be used as a context manager. Raises what `Session` raises."""
        return Session(self.address, self.key)


def droplet_of(fields: Mapping[str, Any], name: str, directory: str = "") -> LookedAt:
    """A droplet as the fields of its block say it; no stack is meant yet.

    Raises:
        PrefectFailed: these are not the fields of a Droplet block.
    """
    try:
        key = str(fields["private_key"])
        register_secrets(file_values("key", key))
        address = SshTarget(
            name=name, host=str(fields["host"]), port=int(fields.get("port", 22)),
            user=str(fields.get("user", "root")), host_key=str(fields.get("host_key", "")),
        )  # fmt: skip
        return LookedAt(name, address, key, StackDirectory(str(fields.get("directory", "/opt/slipway")), directory))
    except (KeyError, TypeError, ValueError):
        raise PrefectFailed(
            f"block {DROPLET}/{name} is not as this version saves it: slipway droplet add {name}"
        ) from None


def find_places(api: PrefectApi, stack: str, names: Iterable[str], settings: Settings) -> dict[str, LookedAt]:
    """The places of these names whose droplets were saved; their blocks are read together.

    Args:
        stack: the whole stack's name.
    """
    split = {name: split_place(name) for name in names}
    saved = read_blocks(api, DROPLET, (block for block, _ in split.values()))
    known = {block: droplet_of(fields, block) for block, fields in saved.items()}
    found = {}
    for name, (block, part) in split.items():
        if droplet := known.get(block):
            where = part_stack(settings.name_on(name, stack), part)
            found[name] = replace(droplet, name=name, directory=StackDirectory(droplet.directory.directory, where))
    return found


def named_places(api: PrefectApi, stack: str, droplet: str | None, settings: Settings) -> dict[str, LookedAt]:
    """The place that is named, or all that the settings show.

    Raises:
        BlockMissing: the one that is named was never saved.
    """
    found = find_places(api, stack, [droplet] if droplet else settings.shown, settings)
    if droplet and not found:
        block = split_place(droplet)[0]
        raise BlockMissing(
            f"no block {DROPLET}/{block} was saved. Save it: slipway droplet add {block} --host ADDRESS --key-file PATH"
        )
    return found


def ask_each(work: Callable[[LookedAt], Found], places: Iterable[LookedAt]) -> dict[str, Found | Exception]:
    """Look at several places at a time: name → what was found, or the error that it ended in."""

    def one(place: LookedAt) -> Found | Exception:
        try:
            return work(place)
        except (OutsideError, SlipwayError) as error:
            return error

    listed = list(places)
    with ThreadPoolExecutor(max(1, min(len(listed), _SIDE_BY_SIDE))) as pool:
        return dict(zip((place.name for place in listed), pool.map(one, listed), strict=True))
