"""The trees of releases that stand on a droplet: what a new release may take from them, and compares with."""

import base64
import hashlib
import posixpath
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from flows.core.answers import MALFORMED, unpacked
from flows.core.droplet.directories import BRINGING, StackDirectory
from flows.core.droplet.sections import section_script, sections
from flows.core.errors import BadRelease
from flows.core.release.bundle import FILES, SEED, TREE
from flows.core.release.tree import Tree, read_tree

TREE_ID = "tree.id"


@dataclass(frozen=True)
class DropletTrees:
    """The trees that count of those on a droplet; empty where a release has none (it was put there by version 0.1).

    Args:
        twin: name and tree of a kept release with the same published files, else of the current one.
        standing: what stands in the twin's directory now: name → kind, mode, size and time, as `find` says them.
        bases: what was brought to writable paths: by the current release, and by one whose run was interrupted.
    """

    twin: tuple[str, Tree] = ("", {})
    standing: Mapping[str, str] = field(default_factory=dict, hash=False)
    bases: tuple[Tree, ...] = ()
    named: Mapping[str, Tree] = field(default_factory=dict, hash=False)


def tree_id(published: bytes) -> str:
    """What tells the published list of files from any other."""
    return hashlib.sha256(published).hexdigest()


def trees_script(directory: StackDirectory, wanted: str = "", name: str = "", *, standing: bool = False) -> str:
    """Prints the trees that count, and changes nothing.

    Args:
        wanted: the id of the tree that is looked for among all kept releases.
        name: a release whose tree is asked for too.
        standing: whether it is asked what stands in the twin's directory.
    """
    releases = shlex.quote(posixpath.join(directory.path, "releases"))
    bringing = shlex.quote(posixpath.join(directory.path, BRINGING))
    twin = shlex.quote(wanted or "-")
    find_twin = (
        f'for at in {releases}/*; do [ "$(cat "$at/{TREE_ID}" 2>/dev/null)" != {twin} ] || '
        '{ echo "${at##*/}"; break; }; done'
    )
    parts = {
        "names": 'printf "%s\\n" "current:$current" "twin:$twin" "bringing:$bringing" "named:$named"',
        "current": 'tree "$current"',
        "twin": '[ "$twin" = "$current" ] || tree "$twin"',
        "bringing": '[ "$bringing" = "$current" ] || tree "$bringing"',
        "named": '[ "$named" = "$current" ] || tree "$named"',
    }
    if standing:
        parts["standing"] = (
            f'cd "$releases/${{twin:-${{current:--}}}}" && [ -f {TREE} ] && '
            f"find {FILES} {SEED} -printf '%y %m %s %T@ %p\\0' 2>/dev/null | gzip -1c | base64 -w 0"
        )
    return "\n".join([
        f"current=$(readlink {shlex.quote(directory.current)}); current=${{current##*/}}",
        f"twin=$({find_twin})",
        f"read -r bringing 2>/dev/null <{bringing} || bringing=",
        f"named={shlex.quote(name)}",
        f"releases={releases}",
        f'tree() {{ [ ! -f "$releases/${{1:--}}/{TREE}" ] || gzip -1c "$releases/$1/{TREE}" | base64 -w 0; }}',
        section_script(parts),
    ])  # fmt: skip


def read_trees(output: str) -> DropletTrees:
    """Parse what `trees_script` printed. A tree that is damaged counts as none."""
    parts = sections(output)
    names = dict(line.partition(":")[::2] for line in parts.get("names", "").splitlines())
    current, twin, bringing, named = (names.get(key, "") for key in ("current", "twin", "bringing", "named"))
    trees = {current: _tree(parts.get("current", ""))}
    for name, section in ((twin, "twin"), (bringing, "bringing"), (named, "named")):
        if name and name not in trees:
            trees[name] = _tree(parts.get(section, ""))
    base_names = [name for name in dict.fromkeys((current, bringing)) if name and trees[name] is not None]
    return DropletTrees(
        (twin or current, trees.get(twin or current) or {}),
        _standing(parts.get("standing", "")),
        tuple(tree for name in base_names if (tree := trees[name]) is not None),
        {name: tree for name, tree in trees.items() if name and tree is not None},
    )


def _standing(packed: str) -> dict[str, str]:
    found = {}
    try:
        for line in unpacked(base64.b64decode(packed)).split(b"\0") if packed else ():
            if line:
                kind, mode, size, changed, name = line.decode("utf-8", "surrogateescape").split(" ", 4)
                found[name] = f"{kind} {mode} {size} {changed.partition('.')[0]}"
    except MALFORMED:
        return {}  # nothing is known to stand there as it was put: all is sent again
    return found


def _tree(packed: str) -> Tree | None:
    try:
        return read_tree(unpacked(base64.b64decode(packed))) if packed else None
    except (BadRelease, *MALFORMED):
        return None
