"""The scripts that put a release's directory on a droplet: prepare it, fill it, read it, make it the current one."""

import posixpath
import shlex
from collections.abc import Iterable, Iterator, Mapping

from flows.core.deploy.files.reuse import link_lines
from flows.core.deploy.files.staging import StagedRelease
from flows.core.droplet.directories import BRINGING, RESOLVED, SECRETS, StackDirectory
from flows.core.release.archive import Member, held
from flows.core.release.bundle import FILES, SEED, File
from flows.core.release.release import Release
from flows.core.release.tree import Entry, Tree


def prepare_script(directory: StackDirectory, name: str) -> str:
    """The script that makes the directory of a release on its way, and then does what standard input says."""
    at = shlex.quote(directory.incoming(name))
    return "\n".join(["set -eu", *_made(directory), f"rm -rf {at} && mkdir {at}", "exec sh", ""])


def stage_script(
    release: Release, directory: StackDirectory, name: str, tree: Tree, *, like: str = "", prepared: bool = False
) -> str:
    """The script that unpacks the tar on standard input, links writable paths, and prints and keeps the resolved stack.

    Nothing that runs is touched. On any failure what was unpacked is removed again.

    Args:
        tree: what the directory holds.
        like: a release that stands there, all of whose files are linked before.
        prepared: the directory is there, and keeps what it holds.
    """
    place = directory.incoming(name)
    at = shlex.quote(place)
    resolved = _join(place, RESOLVED)
    lines = [
        "set -eu",
        f"trap {shlex.quote(f'code=$?; [ $code -eq 0 ] || {{ {_discard(directory, name)}; }}')} EXIT",
        *_made(directory),
        *([] if prepared else [f"rm -rf {at} && mkdir {at}"]),
        *(link_lines(directory.release(like), place) if like else []),
        f"tar -xzpf - -C {at} --no-same-owner",
        f"(umask 077 && {shlex.join(directory.compose(release, place).config())} >{resolved})",
    ]
    kept = [path for path in sorted(release.state) if not _has_seed(tree, path)]
    lines += [f"mkdir -p {' '.join(_join(directory.shared, path) for path in kept)}"] if kept else []
    for path in _outermost(release.state):
        lines += _link_state(path, directory, place)
    return "\n".join([*lines, f"cat {resolved}", ""])


def staged_members(staged: StagedRelease, tree: Tree) -> Iterator[Member]:
    """What is sent in any case, for a tar: directories, links, and the files that are in memory.

    Args:
        tree: the staged tree with the times that its files are to have.
    """
    kinds: Mapping[str, list[str]] = {"directory": [], "link": []}
    for name in sorted(tree):
        if tree[name].kind in kinds:
            kinds[tree[name].kind].append(name)
    yield from (Member(name, tree[name]) for name in kinds["directory"])
    for name, file in sorted(staged.content.items()):
        yield Member(name, tree[name] if name in tree else _entry_of(file), held(file.content))
    yield from (Member(name, tree[name]) for name in kinds["link"])


def in_memory(name: str, content: bytes, mode: int) -> Member:
    """A member of a tar whose content is here."""
    return Member(name, _entry_of(File(content, mode)), held(content))


def timed(tree: Tree, now: int, reused: Mapping[str, Entry]) -> dict[str, Entry]:
    """A tree with the times that its files have on a droplet: those of files that were there, and now for all others.

    Without any, a file of another release with as many bytes would look the same to whoever goes by size and time.
    """
    times = {name: entry.changed for name, entry in reused.items()}
    return {
        name: Entry(e.kind, e.mode, e.size, e.digest, e.target, e.layer, times.get(name, now))
        for name, e in tree.items()
    }


def place_script(directory: StackDirectory, name: str) -> str:
    """The script that moves a staged release to where releases stand; it may run twice.

    Where the same one stands already it is made again what it was: files that somebody changed are written anew in
    their places, because containers that run have mounted these, and what was added beside them is removed.
    """
    incoming, final = shlex.quote(directory.incoming(name)), shlex.quote(directory.release(name))
    return "\n".join([
        "set -eu",
        f"if [ ! -d {final} ]; then mv {incoming} {final}; elif [ -d {incoming} ]; then",
        f"cd {incoming}",
        f"find . ! -type d -exec sh -c {shlex.quote(_RESTORE)} {final} {{}} +",
        f"cd {final}",
        f"find {FILES} {SEED} ! -type d -exec sh -c {shlex.quote(_REMOVE)} {incoming} {{}} + 2>/dev/null || :",
        "cd /",
        "fi",
        "",
    ])  # fmt: skip


def switch_script(directory: StackDirectory, name: str) -> str:
    """The script that moves a staged release into place and makes it the current one; it may run twice.

    Nobody else stages one meanwhile, so whatever an ended run left in `incoming/` is removed. What was asleep
    there is not any more.
    """
    return place_script(directory, name) + "\n".join([
        f"ln -sfn {shlex.quote(f'releases/{name}')} {_join(directory.path, 'current.new')}",
        f"mv -T {_join(directory.path, 'current.new')} {shlex.quote(directory.current)}",
        f"rm -rf {_join(directory.path, 'incoming')} {_join(directory.path, BRINGING)} {shlex.quote(directory.asleep)}",
    ]) + "\n"  # fmt: skip


def discard_script(directory: StackDirectory, name: str) -> str:
    """The script that removes a staged release and, where it would have been the first, the directories made for it."""
    return _discard(directory, name) + "\n"


def _made(directory: StackDirectory) -> list[str]:
    places = " ".join(_join(directory.path, name) for name in ("releases", "incoming", "shared"))
    return [f"mkdir -p {places}", f"chmod 700 {shlex.quote(directory.path)}"]


def _has_seed(tree: Tree, path: str) -> bool:
    seed = f"{SEED}/{path}"
    return any(name == seed or name.startswith(f"{seed}/") for name in tree)


def _entry_of(file: File) -> Entry:
    return Entry("file", file.mode, len(file.content))


def _discard(directory: StackDirectory, name: str) -> str:
    releases = _join(directory.path, "releases")
    others = f"{_join(directory.path, 'incoming')} {_join(directory.path, 'shared')} {shlex.quote(directory.path)}"
    return (
        f"rm -rf {shlex.quote(directory.incoming(name))}; "
        f"if rmdir {releases} 2>/dev/null; then rmdir {others} 2>/dev/null || true; fi"
    )


# Argument 0 is the other directory, the rest names in the one that `find` began in. What is linked is the same file.
_RESTORE = """set -eu
for name do
    [ ! "$name" -ef "$0/$name" ] || continue
    if [ -L "$name" ]; then
        [ "$(readlink "$0/$name")" != "$(readlink "$name")" ] || continue
        rm -rf "$0/$name"; mkdir -p "$0/${name%/*}"; cp -P "$name" "$0/$name"
    elif [ -f "$0/$name" ] && [ ! -L "$0/$name" ]; then
        cmp -s "$name" "$0/$name" || cat "$name" >"$0/$name"
        chmod --reference="$name" "$0/$name"; touch -r "$name" "$0/$name"
    else
        rm -rf "$0/$name"; mkdir -p "$0/${name%/*}"; cp -p "$name" "$0/$name"
    fi
done"""
_REMOVE = """for name do [ -e "$0/$name" ] || [ -L "$0/$name" ] || rm -f "$name"; done"""


def _outermost(paths: Iterable[str]) -> list[str]:
    """The paths that lie in no other one: a link to a directory leads to what is in it too."""
    paths = sorted(paths)
    return [p for p in paths if not any(p != other and posixpath.commonpath([p, other]) == other for other in paths)]


def _link_state(path: str, directory: StackDirectory, place: str) -> list[str]:
    here = _join(place, FILES, path)
    return [
        f"mkdir -p {_join(place, FILES, posixpath.dirname(path))}",
        f"rm -rf {here}",
        f"ln -s {_join(directory.shared, path)} {here}",
    ]


def _join(*parts: str) -> str:
    return shlex.quote(posixpath.join(*parts))


def override_script(directory: StackDirectory, name: str) -> str:
    """Write the compose override of this droplet anew, from standard input, into a staged release."""
    return f"umask 077; cat >{shlex.quote(posixpath.join(directory.incoming(name), SECRETS))}"
