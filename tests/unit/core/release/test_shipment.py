"""What is said of the files that ship."""

import pytest

from flows.core.release.shipment import LeftOut, Shipment, counted, mounted_path, place_of
from tests.support.files.trees import bring, directory, file

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("files", "size", "said"),
    [
        (0, 0, "0 files (0 bytes)"),
        (1, 999, "1 file (999 bytes)"),
        (10_000, 1_500, "10,000 files (1.5 kB)"),
        (2, 499_960_000, "2 files (500.0 MB)"),
        (3, 2_000_000_000, "3 files (2.0 GB)"),
    ],
)
def test_a_number_of_files_in_words(files, size, said):
    assert counted(files, size) == said


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("conf", "files/conf"),
        ("data", "seed/data"),
        ("data/x", "seed/data/x"),
        ("data2", "files/data2"),
        (".", "files"),
    ],
)
def test_where_a_path_of_the_source_stands(path, place):
    assert place_of(path, ("data",)) == place


def test_a_mount_counts_what_is_below_it():
    tree, _ = bring("files/conf", {"a": b"12", "sub/b": b"3", "l": "a"})
    assert mounted_path({**tree, "files/conf2": file(b"9")}, "conf", "files/conf", False).size == 3


def test_what_was_left_out_is_told_by_reason_and_not_without_end():
    left = [*(LeftOut(f"a{n:02}", "git ignores it") for n in range(14)), LeftOut("b\nc", "it is a pipe")]
    said = Shipment({"files": directory()}, left_out=tuple(left)).omissions()
    assert said["git ignores it"].endswith("a11 and 2 more: left out, git ignores it")
    assert said["it is a pipe"] == "b\\nc: left out, it is a pipe"
    assert len(Shipment(left_out=tuple(left)).rows()) == 15
