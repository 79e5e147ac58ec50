"""The list of what is removed from a droplet, and the script that removes exactly that."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from flows.core.droplet.directories import StackDirectory
from flows.core.prune.reports import ExpiredReport


class Kind(Enum):
    """The kinds of things that prune removes, in this order: a release goes before its images."""

    RELEASE = "release"
    INCOMING = "incoming"
    CONTAINER = "container"
    IMAGE = "image"


@dataclass(frozen=True)
class Item:
    """One thing on a droplet, and why it is removed or stays.

    Args:
        id: what the engine or the file system knows it by.
        references: of an image, every name that leads to it: tags first.
        size: bytes of an image, with the layers it shares.
        running: whether a container runs, and is stopped first.
    """

    kind: Kind
    id: str
    name: str
    reason: str
    references: tuple[str, ...] = ()
    size: int = 0
    running: bool = False

    @property
    def key(self) -> str:
        """The item's name in the removal script."""
        return f"{self.kind.value}:{self.id}"


@dataclass(frozen=True)
class Removal:
    """The items that are removed from a droplet, those of the same kinds that stay, and warnings.

    Args:
        last_good: tag of the last good release there; '' for none.
    """

    goes: tuple[Item, ...] = ()
    left: tuple[Item, ...] = ()
    warnings: tuple[str, ...] = ()
    last_good: str = ""

    def of(self, kind: Kind) -> tuple[Item, ...]:
        """The items of one kind that are removed."""
        return tuple(item for item in self.goes if item.kind is kind)

    @property
    def size(self) -> int:
        """Bytes of the images that are removed; layers they share with others count too."""
        return sum(item.size for item in self.goes)

    def rows(self) -> list[dict[str, object]]:
        """The items as rows of a table, those that are removed first."""
        return [_row("goes", item) for item in self.goes] + [_row("stays", item) for item in self.left]

    def __str__(self) -> str:
        counts = {kind: len(self.of(kind)) for kind in Kind}
        words = [_count(count, kind) for kind, count in counts.items() if count]
        size = f" (up to {self.size / 1e6:,.1f} MB)" if self.size else ""
        return f"{', '.join(words)}{size}" if words else "nothing"

    def without(self, refusals: Mapping[str, str]) -> "Removal":
        """The removal as it was carried out, when some items could not be removed.

        Args:
            refusals: key of an item → why it is still there.
        """
        still = tuple(replace(item, reason=refusals[item.key]) for item in self.goes if item.key in refusals)
        return replace(self, goes=tuple(i for i in self.goes if i.key not in refusals), left=(*still, *self.left))


@dataclass(frozen=True)
class Pruned:
    """Result of prune: what was removed (or would be, in a dry run), what the build host freed, and which files of the
    reports went."""

    droplet: str
    stack: str
    removal: Removal
    dry_run: bool
    build_host: tuple[str, ...]
    seconds: float
    reports: tuple[ExpiredReport, ...] = ()


def removal_script(directory: StackDirectory, removal: Removal) -> str:
    """The script that removes the items one by one. It prints `gone KEY`, or `left KEY WORDS` where one is refused.

    May run twice. Without `--force`, so that the engine itself refuses what is in use by now; without `--volumes`; and
    without what an image was built on (`--no-prune`), which was not listed. A name is removed only while it
    still leads to the image that was meant.
    """
    lines = [
        "set -u",
        f"home={shlex.quote(directory.path)}",
        _FUNCTIONS,
        *(_line(item) for kind in Kind for item in removal.of(kind)),
        'rmdir "$home/incoming" 2>/dev/null',
        "true",
    ]
    return "\n".join(lines) + "\n"


def read_refusals(output: str, removal: Removal) -> dict[str, str]:
    """Parse the output of `removal_script`: key → why it is still there. An item without a line was not removed."""
    lines = output.splitlines()
    refusals = {}
    for item in removal.goes:
        if f"gone {item.key}" not in lines:
            start = f"left {item.key} "
            reason = next((line.removeprefix(start).strip() for line in lines if line.startswith(start)), "")
            refusals[item.key] = f"it could not be removed: {reason or 'the script ended before'}"
    return refusals


_FUNCTIONS = r"""try() {
    key=$1; shift
    if said=$("$@" 2>&1); then echo "gone $key"; return; fi
    case $said in
    *'No such container'*) echo "gone $key" ;;
    *) echo "left $key $(printf %s "$said" | tr '\n' ' ')" ;;
    esac
}
release() {
    [ "$(readlink "$home/current")" != "releases/$1" ] || { echo 'it is the current one'; return 1; }
    [ -d "$home/releases/$1" ] || return 0
    mkdir -p "$home/incoming" && rm -rf "$home/incoming/$1" || return
    mv -T "$home/releases/$1" "$home/incoming/$1" && rm -rf "$home/incoming/$1"
}
incoming() { rm -rf "$home/incoming/$1"; }
stopped() { docker rm "$1"; }
running() { docker stop "$1" && docker rm "$1"; }
image() {
    id=$1; shift
    users=$(docker ps --all --quiet --filter "ancestor=$id") || return
    [ -z "$users" ] || { echo "container $users uses it by now"; return 1; }
    for reference; do
        [ "$(docker image inspect --format '{{.Id}}' "$reference" 2>/dev/null)" = "$id" ] || continue
        docker rmi --no-prune "$reference" || return
    done
}"""


def _line(item: Item) -> str:
    verb = ("running" if item.running else "stopped") if item.kind is Kind.CONTAINER else item.kind.value
    return shlex.join(["try", item.key, verb, item.id, *item.references])


def _row(what: str, item: Item) -> dict[str, object]:
    size = f"{item.size / 1e6:,.1f}" if item.size else ""
    return {"": what, "kind": item.kind.value, "name": item.name, "why": item.reason, "MB": size}


def _count(count: int, kind: Kind) -> str:
    if kind is Kind.INCOMING:
        return f"{count} half-way release{'s' * (count > 1)}"
    return f"{count} {kind.value}{'s' * (count > 1)}"
