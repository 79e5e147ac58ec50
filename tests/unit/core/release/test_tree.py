"""The list of a release's files: read back as it was written, or refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.errors import BadRelease
from flows.core.release.tree import Entry, below, dump_tree, parents, read_stale, read_tree, shown, total
from tests.support.files.trees import bring, contents, directory, file, link

pytestmark = pytest.mark.unit


@given(contents())
def test_a_tree_is_read_back_as_it_was_written(held):
    tree, _ = bring("files/conf", held)
    assert read_tree(dump_tree(tree)) == tree
    assert dump_tree(dict(reversed(tree.items()))) == dump_tree(tree)


def test_everything_that_is_known_of_an_entry_is_kept():
    tree = {
        "a": Entry("file", 0o4755, 3, "ab", "", 2, 1_700_000_000),
        "b": Entry("given", 0o600, target="conf/app.env"),
    }
    assert read_tree(dump_tree(tree)) == tree


def test_what_is_stale_in_its_layers_is_kept_beside_a_tree():
    tree, stale = {"a": file(b"1")}, {2: {"a": 3, "b\udcff": 0}, 0: {"a": 1}}
    assert read_stale(dump_tree(tree, stale)) == stale
    assert read_tree(dump_tree(tree, stale)) == tree
    assert read_stale(dump_tree(tree)) == {}
    with pytest.raises(BadRelease, match="list of files is damaged"):
        read_stale(b'{"format": 1, "stale": [1]}')


def rows(*entries) -> bytes:
    return json.dumps({"format": 1, "entries": entries}).encode()


BAD = {
    "nothing": b"",
    "no JSON": b"<html>",
    "another format": b'{"format": 2, "entries": []}',
    "no entries": b'{"format": 1}',
    "a list": b"[]",
    "absolute": rows(["/etc/passwd", "f", "644"]),
    "above": rows(["../x", "f", "644"]),
    "above, in the middle": rows(["a/../../x", "f", "644"]),
    "not normal": rows(["a//b", "f", "644"]),
    "the root itself": rows(["", "d", "755"]),
    "a zero byte": rows(["a\0b", "f", "644"]),
    "an unknown kind": rows(["a", "s", "644"]),
    "no octal mode": rows(["a", "f", "rwx"]),
    "a size that is no number": rows(["a", "f", "644", "3"]),
    "a digest that is no text": rows(["a", "f", "644", 3, 4]),
    "below a link": rows(["a", "l", "777", 0, "", "/etc"], ["a/b", "f", "644"]),
    "below a file": rows(["a", "f", "644"], ["a/b/c", "f", "644"]),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_what_cannot_be_used_is_refused(data):
    with pytest.raises(BadRelease, match="list of files is"):
        read_tree(data)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_tree_or_refused(data):
    with pytest.raises(BadRelease):
        read_tree(data)


def test_below_means_whole_names():
    assert list(below({"a": directory(), "a/b": file(b"1"), "ab": file(b"2")}, "a")) == ["a", "a/b"]


def test_the_directories_above_a_name():
    assert list(parents("a/b/c")) == ["a", "a/b"]
    assert list(parents("a")) == []


def test_bytes_are_counted():
    assert total({"a": file(b"123"), "l": link("x"), "b": file(b"4")}) == 4


@pytest.mark.parametrize(
    ("name", "said"), [("ü x", "ü x"), ("a\nb", "a\\nb"), ("\udcff", "\\udcff"), ("\x1b[31m", "\\x1b[31m")]
)
def test_a_name_in_a_log_line_does_no_harm(name, said):
    assert shown(name) == said
