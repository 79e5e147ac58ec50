"""Trees of files for tests: names of all sorts, and releases that bring them."""

import hashlib

from hypothesis import strategies as st

from flows.core.release.tree import Entry

HOSTILE = [
    "plain", "two words", "it's", 'say "hi"', "$HOME", "`id`", "a\nb", "a\\b", "-rf", "--", "ü€", "*", "~", "#x", "a;b",
    "\t", "%s", "\udcff\udcfe", ".hidden", "\\n",
]  # fmt: skip
part = st.sampled_from(HOSTILE) | st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=12
).filter(lambda name: name not in (".", ".."))
modes = st.sampled_from([0o644, 0o755, 0o600, 0o400, 0o664])


def file(content: bytes, mode: int = 0o644) -> Entry:
    return Entry("file", mode, len(content), hashlib.sha256(content).hexdigest())


def link(target: str) -> Entry:
    return Entry("link", 0o777, target=target)


def directory(mode: int = 0o755) -> Entry:
    return Entry("directory", mode)


def bring(place: str, contents: dict) -> tuple[dict[str, Entry], dict[str, bytes]]:
    """A tree below a place, and the contents of its files.

    Args:
        contents: path → bytes of a file, (bytes, mode), the text of a link's target, or None for a directory.
    """
    tree, held = {place: directory()}, {}
    for path, what in contents.items():
        name = f"{place}/{path}" if path else place
        for depth in range(1, len(path.split("/"))):
            tree.setdefault(f"{place}/{'/'.join(path.split('/')[:depth])}", directory())
        if isinstance(what, str):
            tree[name] = link(what)
        elif what is None:
            tree[name] = directory()
        else:
            content, mode = what if isinstance(what, tuple) else (what, 0o644)
            tree[name], held[name] = file(content, mode), content
    return tree, held


@st.composite
def contents(draw, most: int = 6) -> dict:
    """Contents for `bring`: files, links and directories that fit into one tree."""
    found: dict = {}
    for parts in draw(st.lists(st.lists(part, min_size=1, max_size=3), max_size=most)):
        path = "/".join(parts)
        taken = {name for name in found if name == path or name.startswith(f"{path}/")}
        blocked = any("/".join(parts[:depth]) in found for depth in range(1, len(parts)))
        if not taken and not blocked:
            kind = draw(st.sampled_from(["file", "file", "file", "link", "directory"]))
            if kind == "file":
                found[path] = (draw(st.binary(max_size=20)), draw(modes))
            else:
                found[path] = draw(part) if kind == "link" else None
    return found
