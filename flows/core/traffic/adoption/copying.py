"""Paths that are copied to the data home: the script that looks at them, the one that copies, and what they print."""

import posixpath
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from flows.core.answers import reads
from flows.core.droplet.directories import ADOPTED, StackDirectory
from flows.core.traffic.adoption.marker import CopiedPath

# Seconds that the size of one path may take to be found out.
_LOOK = 20
_COPY = """\
coming={coming}
fetch() {{
    real=$(readlink -f -- "$2") && [ -e "$real" ] || {{ echo "$2 is not there any more" >&2; exit 1; }}
    to={shared}/$3
    rm -rf -- "$coming"
    mkdir -p -- "$(dirname -- "$coming")" "$(dirname -- "$to")"
    cp -a -- "$real" "$coming"
    rmdir -- "$to" 2>/dev/null || true
    if [ -e "$to" ] || [ -L "$to" ]; then
        kept=$(mktemp -d {kept}.XXXXXX)
        mv -- "$to" "$kept/"
        echo "aside $1 $kept"
    fi
    mv -T -- "$coming" "$to"
}}
"""


@dataclass(frozen=True)
class FoundPath:
    """What was found of a path that is to be copied.

    Args:
        size: bytes; None: it took too long to find out.
        free: bytes free where it is copied to.
        others: whether it holds what our user cannot copy with its owner.
    """

    source: str
    size: int | None
    free: int | None
    others: bool


def look_at_copied_script(directory: str, paths: Sequence[CopiedPath]) -> str:
    """The script that prints the size of each path and whether our user can copy it; it changes nothing."""
    lines = [
        "look() {",
        '    real=$(readlink -f -- "$2"); others=no',
        '    [ "$(id -u)" = 0 ] || [ -z "$(find "$real" ! -user "$(id -u)" -print -quit 2>/dev/null)" ] || others=yes',
        f'    size=$(timeout {_LOOK} du -skx -- "$real" 2>/dev/null | cut -f 1)',
        '    echo "path $1 ${size:--} $free $others"',
        "}",
        f"free=$(df -Pk {shlex.quote(directory)} 2>/dev/null | tail -n 1 | awk '{{print $4}}'); free=${{free:--}}",
        *(f"look {number} {shlex.quote(path.source)}" for number, path in enumerate(paths)),
        "true",
    ]
    return "\n".join(lines)


@reads("what the droplet says of the paths to be copied")
def read_copied(text: str, paths: Sequence[CopiedPath]) -> tuple[FoundPath, ...]:
    """Parse the output of `look_at_copied_script`; a path of which nothing was said is an error."""
    found: dict[int, FoundPath] = {}
    for line in text.splitlines():
        if line.startswith("path "):
            _, number, size, free, others = line.split()
            found[int(number)] = FoundPath(
                paths[int(number)].source, _kilobytes(size), _kilobytes(free), others == "yes"
            )
    return tuple(found[number] for number in range(len(paths)))


def copy_script(home: StackDirectory, paths: Sequence[CopiedPath]) -> str:
    """The script that copies each path to what outlives releases at home. What stands in its place goes aside.

    A copy appears whole or not at all; nothing is removed but what an earlier, cut copy left.
    """
    place = posixpath.join(home.directory, ADOPTED)
    head = _COPY.format(
        coming=shlex.quote(posixpath.join(place, f"{home.stack}.coming", "copy")),
        kept=shlex.quote(posixpath.join(place, f"{home.stack}.kept")),
        shared=shlex.quote(home.shared),
    )
    calls = [f"fetch {n} {shlex.quote(p.source)} {shlex.quote(p.place)}" for n, p in enumerate(paths)]
    return "\n".join(["set -eu", head, *calls, "true"])


@reads("what the droplet says of the copies")
def read_aside(text: str, paths: Sequence[CopiedPath]) -> tuple[str, ...]:
    """What stood in the place of a copy, and where it is now, in words."""
    return tuple(
        f"what stood at {paths[int(number)].place} is in {kept}"
        for number, _, kept in (
            line.removeprefix("aside ").partition(" ") for line in text.splitlines() if line.startswith("aside ")
        )
    )


def _kilobytes(word: str) -> int | None:
    return int(word) * 1024 if word.isdecimal() else None
