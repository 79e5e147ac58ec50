"""Layers of files: what has not changed stays the same layer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.release.layers import LARGEST, LEAST, in_layers, layer_key
from flows.core.release.tree import Entry
from tests.support.files.trees import directory, link

pytestmark = pytest.mark.unit

KB = 1024


def files(*numbers: int, size: int = 100 * KB) -> dict[str, Entry]:
    return {f"files/data/{number:05}": Entry("file", 0o644, size, f"digest {number}") for number in numbers}


def keys(tree: dict) -> set[str]:
    return {layer_key(tree, names) for names in in_layers(tree)[1]}


def test_every_file_is_in_one_layer_and_nothing_else_is():
    tree = {**files(*range(500)), "files/data": directory(), "files/l": link("x"), "files/e": Entry("given", 0o600)}
    marked, groups = in_layers(tree)
    assert sorted(name for names in groups for name in names) == sorted(files(*range(500)))
    assert all(marked[name].layer == number for number, names in enumerate(groups) for name in names)
    assert {name: entry.kind for name, entry in marked.items()} == {name: entry.kind for name, entry in tree.items()}


def test_layers_are_neither_small_nor_large():
    tree = files(*range(2000))
    sizes = [sum(tree[name].size for name in names) for names in in_layers(tree)[1]]
    assert len(sizes) > 10
    assert max(sizes) <= LARGEST
    assert min(sizes[:-1]) >= LEAST - 100 * KB


def test_a_file_that_is_larger_than_a_layer_has_one_of_its_own():
    tree = {**files(1, 3), **files(2, size=LARGEST * 3)}
    assert [names for names in in_layers(tree)[1] if "files/data/00002" in names] == [("files/data/00002",)]


@given(st.sampled_from(["content", "mode", "new", "gone"]), st.integers(0, 999))
def test_one_change_leaves_all_but_a_few_layers_as_they_are(what, number):
    before = files(*range(1000))
    after, name = dict(before), f"files/data/{number:05}"
    if what == "content":
        after[name] = Entry("file", 0o644, 100 * KB, "other")
    elif what == "mode":
        after[name] = Entry("file", 0o600, 100 * KB, f"digest {number}")
    elif what == "new":
        after[f"{name}x"] = Entry("file", 0o644, 100 * KB, "new")
    else:
        del after[name]
    assert 1 <= len(keys(after) - keys(before)) <= 6


def test_where_a_layer_ends_depends_on_names_and_sizes_alone():
    tree = files(*range(300))
    assert in_layers(dict(reversed(tree.items())))[1] == in_layers(tree)[1]


def test_no_files_are_no_layers():
    assert in_layers({"files/d": directory()})[1] == ()
