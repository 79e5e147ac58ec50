"""The scripts of what a release brings to paths that services write to: they look, and they change what was decided.

Both come by standard input, because their names fill no command line.
"""

import posixpath
import shlex
from collections.abc import Collection, Iterable, Sequence

from flows.core.answers import reads
from flows.core.deploy.files.writable import Bringing, PathChange
from flows.core.droplet.directories import BRINGING, StackDirectory
from flows.core.release.bundle import SEED
from flows.core.release.tree import Entry

_BATCH = 200
_MARK = "="
# Of each path one line: - nothing, o neither of these, l HASH OF ITS TARGET, d MODE, f. Then modes, then hashes of the
# files: one process a batch. A mounted path itself is followed where it is a link: somebody moved it to another disk.
_LOOK = r"""export LC_ALL=C
mkdir -p {shared} && cd {shared} || exit 1
follow=
look() {{
    count=$#
    echo '{mark}'
    for path; do
        if [ -L "$path" ] && ! {{ [ "$follow" ] && [ -d "$path" ]; }}; then
            echo "l $(readlink -n -- "$path" | sha256sum)"
        elif [ -d "$path" ]; then echo "d $(stat -c %a -- "$path")"
        elif [ -f "$path" ]; then echo f; set -- "$@" "$path"
        elif [ -e "$path" ]; then echo o
        else echo -
        fi
    done
    shift "$count"
    [ $# = 0 ] || {{ stat -c %a -- "$@"; hashes "$@"; }}
}}
hashes() {{
    if sums=$(sha256sum -- "$@" 2>/dev/null); then
        printf '%s\n' "$sums" | cut -c 1-66
    else
        for path; do sum=$(sha256sum <"$path" 2>/dev/null) || sum=unreadable; echo "${{sum%% *}}"; done
    fi
}}"""
# What was decided is done where it still holds: between looking and changing a service may have written.
_BRING = r"""set -eu
export LC_ALL=C
umask 022
seed={seed} new={new}
mkdir -p {shared}
cd {shared}
now() {{
    if [ -L "$1" ]; then set -- l "$(readlink -n -- "$1" | sha256sum)"
    elif [ -d "$1" ]; then set -- d
    elif [ -f "$1" ]; then set -- f "$(sha256sum <"$1")"
    elif [ -e "$1" ]; then set -- o
    else set -- -
    fi
    echo "$1${{2:+ ${{2%% *}}}}"
}}
same() {{ [ "$(now "$2")" = "$3" ] || {{ echo "kept $1"; return 1; }}; }}
above() {{ case $1 in */*) [ -d "${{1%/*}}" ] || mkdir -p -- "${{1%/*}}" ;; esac; }}
all() {{
    [ ! -e "$2" ] && [ ! -L "$2" ] || {{ echo "kept $1"; return 0; }}
    rm -rf "$new"
    cp -RpP -- "$seed/$2" "$new"
    above "$2"
    mv -T -- "$new" "$2"
}}
put() {{
    same "$1" "$2" "$3" || return 0
    [ "$3" != d ] || rmdir -- "$2" 2>/dev/null || {{ echo "kept $1"; return 0; }}
    rm -rf "$new"
    cp -P -- "$seed/$2" "$new"
    [ -L "$new" ] || chmod "$4" "$new"
    above "$2"
    mv -fT -- "$new" "$2"
}}
delete() {{ same "$1" "$2" "$3" || return 0; rm -f -- "$2"; }}
remove_directory() {{ rmdir -- "$2" 2>/dev/null || true; }}
directory() {{ [ -d "$2" ] || {{ mkdir -p -- "$2"; chmod "$4" "$2"; }}; }}
mode() {{ [ -L "$2" ] || chmod "$4" "$2"; }}"""


def look_script(directory: StackDirectory, paths: Sequence[str], roots: Collection[str]) -> bytes:
    """Print what stands at each path.

    Args:
        roots: the mounted paths among them.
    """
    head = _LOOK.format(shared=shlex.quote(directory.shared), mark=_MARK)
    calls = [
        f"follow={'yes' if followed else ''}\n{shlex.join(['look', *batch])}"
        for followed, batch in _batches(paths, roots)
    ]
    return _encoded([head, *calls])


@reads("what the droplet says of writable paths")
def read_look(output: str, paths: Sequence[str], roots: Collection[str]) -> dict[str, Entry | None]:
    """Parse what `look_script` printed.

    A link's digest is that of its target. What could not be read is nothing that any release brought.
    """
    found: dict[str, Entry | None] = {}
    answers = output.split(f"{_MARK}\n")[1:]
    for (_, batch), answer in zip(_batches(paths, roots), answers, strict=True):
        lines = answer.splitlines()
        kinds, rest = lines[: len(batch)], lines[len(batch) :]
        files = [path for path, kind in zip(batch, kinds, strict=True) if kind == "f"]
        modes, digests = rest[: len(files)], rest[len(files) :]
        for path, line in zip(batch, kinds, strict=True):
            kind, _, said = line.partition(" ")
            if kind == "-":
                found[path] = None
            elif kind == "d":
                found[path] = Entry("directory", int(said, 8))
            elif kind == "l":
                found[path] = Entry("link", 0o777, target=said.split()[0])
            else:
                found[path] = Entry("file", digest="unknown")
        for path, mode, digest in zip(files, modes, digests, strict=True):
            found[path] = Entry("file", int(mode, 8), digest=digest.lstrip("\\").split()[0])
    return found


def bring_script(directory: StackDirectory, name: str, bringing: Bringing) -> bytes:
    """Make the changes; prints `kept NUMBER` for each that a service was quicker than."""
    at = posixpath.join(directory.path, BRINGING)
    head = _BRING.format(
        seed=shlex.quote(posixpath.join(directory.release(name), SEED)),
        new=shlex.quote(f"{at}.new"),
        shared=shlex.quote(directory.shared),
    )
    note = f"printf '%s\\n' {shlex.quote(name)} >{shlex.quote(at)}"
    calls = [_call(number, change) for number, change in enumerate(bringing.changes)]
    return _encoded([head, note, *calls, f"rm -rf {shlex.quote(f'{at}.new')}"])


@reads("what the droplet says of writable paths")
def read_kept(output: str, bringing: Bringing) -> tuple[str, ...]:
    """Parse what `bring_script` printed: paths that a service changed in between."""
    numbers = (int(line.split()[1]) for line in output.splitlines() if line.startswith("kept "))
    return tuple(bringing.changes[number].path for number in numbers)


def _call(number: int, change: PathChange) -> str:
    words = [change.verb.replace("-", "_"), str(number), change.path, _state(change.there), f"{change.mode:o}"]
    return shlex.join(words)


def _state(there: Entry | None) -> str:
    if there is None:
        return "-"
    if there.kind == "directory":
        return "d"
    return f"l {there.target}" if there.kind == "link" else f"f {there.digest}"


def _batches(paths: Sequence[str], roots: Collection[str]) -> list[tuple[bool, Sequence[str]]]:
    """(whether links are followed, paths)."""
    first, others = [path for path in paths if path in roots], [path for path in paths if path not in roots]
    return [
        (followed, some[n : n + _BATCH])
        for followed, some in ((True, first), (False, others))
        for n in range(0, len(some), _BATCH)
    ]


def _encoded(lines: Iterable[str]) -> bytes:
    return "\n".join([*lines, ""]).encode("utf-8", "surrogateescape")
