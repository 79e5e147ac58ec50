"""Layers of files: what an earlier release published is taken over, and nothing else is in them than ships."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.release.layers import LARGEST, LEAST, Layering, PublishedTree, in_layers
from flows.core.release.tree import Entry
from tests.support.files.trees import directory, link

pytestmark = pytest.mark.unit

KB = 1024


def files(*numbers: int, size: int = 100 * KB) -> dict[str, Entry]:
    return {f"files/data/{number:05}": Entry("file", 0o644, size, f"digest {number}") for number in numbers}


def changed(tree: dict, *numbers: int, to: str = "other") -> dict[str, Entry]:
    names = [f"files/data/{number:05}" for number in numbers]
    return {**tree, **{name: replace(tree[name], digest=f"{to} {name}") for name in names}}


def published(layering: Layering) -> PublishedTree:
    return PublishedTree(layering.tree, layering.stale, range(len(layering.taken) + len(layering.packed)))


def packed_names(layering: Layering) -> set[str]:
    return {name for names in layering.packed for name in names}


def small_layers(layering: Layering) -> set[str]:
    """Names in layers that are packed anew together with more than they hold."""
    sizes = [sum(layering.tree[name].size + KB for name in names) for names in layering.packed]
    return {name for size, names in zip(sizes, layering.packed, strict=True) if size < LEAST for name in names}


class Releases:
    """Releases one after the other, and what the layers of the newest hold: name → digest."""

    def __init__(self, tree: dict) -> None:
        self.layers: list[dict[str, str]] = []
        self.layering: Layering | None = None
        self.release(tree)

    def release(self, tree: dict) -> Layering:
        layering = in_layers(tree, published(self.layering) if self.layering else None)
        packed = [{name: tree[name].digest for name in names} for names in layering.packed]
        self.layers = [*(self.layers[number] for number in layering.taken), *packed]
        self.layering = layering
        self.check(tree)
        return layering

    def check(self, tree: dict) -> None:
        """Every file is where the tree says, what is known as stale is all that is, and what does not ship is gone."""
        for name, entry in self.layering.tree.items():
            if entry.kind == "file":
                assert self.layers[entry.layer][name] == entry.digest
        for number, held in enumerate(self.layers):
            stale = set(self.layering.stale.get(number, ()))
            assert {name for name in held if self.layering.tree[name].layer != number} == stale
            lost = sum(self.layering.stale.get(number, {}).values())
            assert lost <= sum(tree[name].size for name in set(held) - stale)


def test_every_file_is_in_one_layer_and_nothing_else_is():
    tree = {**files(*range(500)), "files/data": directory(), "files/l": link("x"), "files/e": Entry("given", 0o600)}
    layering = in_layers(tree)
    assert sorted(name for names in layering.packed for name in names) == sorted(files(*range(500)))
    assert all(layering.tree[n].layer == number for number, names in enumerate(layering.packed) for n in names)
    assert {n: entry.kind for n, entry in layering.tree.items()} == {n: entry.kind for n, entry in tree.items()}


def test_layers_are_neither_small_nor_large():
    tree = files(*range(2000))
    sizes = [sum(tree[name].size for name in names) for names in in_layers(tree).packed]
    assert len(sizes) > 10
    assert max(sizes) <= LARGEST
    assert min(sizes[:-1]) >= LEAST - 100 * KB


def test_a_file_that_is_larger_than_a_layer_has_one_of_its_own():
    tree = {**files(1, 3), **files(2, size=LARGEST * 3)}
    assert [names for names in in_layers(tree).packed if "files/data/00002" in names] == [("files/data/00002",)]


@given(st.sampled_from(["new", "gone"]), st.integers(0, 999))
def test_without_an_earlier_release_one_name_more_or_less_moves_few_ends(what, number):
    before = files(*range(1000))
    after, name = dict(before), f"files/data/{number:05}"
    if what == "new":
        after[f"{name}x"] = Entry("file", 0o644, 100 * KB, "new")
    else:
        del after[name]
    assert 1 <= len(set(in_layers(after).packed) - set(in_layers(before).packed)) <= 6


def test_where_a_layer_ends_depends_on_names_and_sizes_alone():
    tree = files(*range(300))
    assert in_layers(dict(reversed(tree.items()))).packed == in_layers(tree).packed


def test_no_files_are_no_layers():
    assert in_layers({"files/d": directory()}).packed == ()


def test_the_same_files_are_the_same_layers():
    tree = files(*range(300))
    first = in_layers(tree)
    again = in_layers(tree, published(first))
    assert (again.packed, again.tree, again.stale) == ((), first.tree, {})
    assert again.taken == tuple(range(len(first.packed)))


def test_files_that_changed_are_all_that_is_packed_however_many_layers_they_come_from():
    tree = files(*range(10_000), size=50 * KB)
    numbers = random.Random(1).sample(range(10_000), 100)  # noqa: S311 — no secret
    before = in_layers(tree)
    layering = in_layers(changed(tree, *numbers), published(before))
    wanted = {f"files/data/{number:05}" for number in numbers}
    assert packed_names(layering) - small_layers(before) == wanted - small_layers(before)
    assert {name for names in layering.stale.values() for name in names} == wanted - small_layers(before)


def test_another_mode_is_no_other_content():
    tree = files(*range(100))
    other = {name: replace(entry, mode=0o600) for name, entry in tree.items()}
    layering = in_layers(other, published(in_layers(tree)))
    assert layering.packed == ()
    assert {entry.mode for entry in layering.tree.values()} == {0o600}


def test_a_layer_that_the_registry_lost_is_packed_again():
    tree = files(*range(300))
    before = published(in_layers(tree))
    layering = in_layers(tree, replace(before, there={n for n in before.there if n != 1}))
    lost = {name for name, entry in before.tree.items() if entry.layer == 1}
    assert packed_names(layering) == lost | small_layers(in_layers(tree))


@pytest.mark.parametrize("becomes", [None, directory(), link("x"), Entry("given", 0o600, target="conf/key")])
def test_what_ships_no_more_is_in_no_layer_not_even_as_an_earlier_content(becomes):
    tree = files(*range(100))
    releases = Releases(tree)
    releases.release(changed(tree, 7))
    after = {**changed(tree, 7, 9), "files/data/00007": becomes}
    if becomes is None:
        del after["files/data/00007"]
    releases.release(after)
    assert all("files/data/00007" not in held for held in releases.layers)


def test_a_layer_of_which_most_is_stale_is_packed_anew():
    tree = files(*range(30))
    releases = Releases(tree)
    for number in range(30):
        tree = changed(tree, number)
        releases.release(tree)
    assert sum(map(len, releases.layers)) < 60


def test_many_releases_of_small_changes_are_few_layers():
    tree = files(*range(100))
    releases = Releases(tree)
    for number in range(200):
        tree = changed(tree, number * 37 % 100, to=f"release {number}")
        releases.release(tree)
    assert len(releases.layers) <= 10


@given(st.lists(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), max_size=8), min_size=1, max_size=6))
def test_whatever_changes_each_file_is_where_the_list_says(steps):
    tree = files(*range(0, 31, 2), size=1000 * KB)
    releases = Releases(tree)
    for step in steps:
        for number, what in step:
            name = f"files/data/{number:05}"
            if what == 0:
                tree = {other: entry for other, entry in tree.items() if other != name}
            else:
                tree = {**tree, name: Entry("file", 0o644, what * 700 * KB, f"content {what}")}
        releases.release(tree)
    assert releases.layering.tree.keys() == tree.keys()
