"""The label that makes a service restart whose mounted files changed."""

import pytest

from flows.core.release.file_labels import files_label
from flows.core.release.release import content_hash
from flows.core.release.tree import Entry
from tests.support.files.trees import bring, directory, file, link

pytestmark = pytest.mark.unit


def label(tree: dict, files: dict) -> str:
    return files_label(tree, sorted(tree), lambda name: (files[name],))


def of(**held) -> str:
    return label(*bring("files/conf", {name.replace("__", "/"): what for name, what in held.items()}))


def test_plain_files_have_the_label_that_version_0_1_gave_them():
    tree, files = bring("files/conf", {"a": b"1", "sub/run": (b"#!", 0o755)})
    assert label(tree, files) == content_hash(files)


@pytest.mark.parametrize(
    "changed",
    [
        {"a": b"2"}, {"a": (b"1", 0o600)}, {"a": b"1", "b": b""}, {"a": b"1", "l": "a"}, {"a": "other"},
    ],
    ids=["content", "mode", "a new file", "a new link", "a link instead"],
)  # fmt: skip
def test_whatever_a_service_finds_in_its_mounts_changes_it(changed):
    assert of(**changed) != of(a=b"1")
    assert of(**changed) == of(**changed)


def test_a_link_that_leads_elsewhere_changes_it():
    assert of(a=b"1", l="x") != of(a=b"1", l="y")


def test_what_is_brought_to_a_writable_path_counts_without_being_read():
    tree = {"seed/data": directory(), "seed/data/a": file(b"1")}
    assert len(files_label(tree, sorted(tree), lambda _: pytest.fail("it was read"))) == 16


def test_no_file_is_no_label():
    assert files_label({}, [], lambda _: ()) == ""
    assert files_label({"seed/data": directory()}, ["seed/data"], lambda _: ()) == ""


def test_more_than_version_0_1_shipped_is_not_read_again():
    tree = {"files/a": Entry("file", 0o644, 65 * 1024 * 1024, "d"), "files/b": file(b"1")}
    assert files_label(tree, sorted(tree), lambda _: pytest.fail("it was read"))


def test_a_link_alone_is_a_label():
    assert label({"files/l": link("x")}, {}) != ""
