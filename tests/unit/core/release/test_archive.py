"""Archives as streams: what is written is read back, by us and by tar; the same content, the same bytes."""

import gzip
import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.core.release.archive import PIECE, Member, held, packed, read_archive, tar_stream
from flows.core.release.tree import Entry
from tests.support.files.trees import bring, contents

pytestmark = pytest.mark.unit


def archive(tree: dict, files: dict) -> bytes:
    ordered = sorted(tree, key=lambda name: (tree[name].kind != "directory", tree[name].kind == "link", name))
    members = [Member(name, tree[name], held(files.get(name, b""))) for name in ordered]
    return b"".join(packed(tar_stream(members)))


@given(contents())
def test_files_are_read_back(what):
    tree, files = bring("files", what)
    found = {name: b"".join(content()) for name, content in read_archive(io.BytesIO(archive(tree, files)))}
    assert found == files


def test_what_is_longer_than_a_piece_is_read_back():
    files = {f"files/{n}": os.urandom(PIECE // 3) for n in range(10)} | {"files/long": b"text" * PIECE}
    tree = {name: Entry("file", 0o644, len(content)) for name, content in files.items()}
    found = {name: b"".join(content()) for name, content in read_archive(io.BytesIO(archive(tree, files)))}
    assert found == files


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents())
def test_tar_reads_them_with_their_modes_and_links(tmp_path_factory, what):
    place = tmp_path_factory.mktemp("tar")
    tree, files = bring("files", what)
    done = subprocess.run(
        ["tar", "-xzpf", "-", "-C", place], input=archive(tree, files), capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    for name, entry in tree.items():
        path = os.path.join(place, name)
        if entry.kind == "link":
            assert os.readlink(path) == entry.target
        else:
            assert os.lstat(path).st_mode & 0o7777 == entry.mode
            assert entry.kind == "directory" or Path(path).read_bytes() == files[name]


def test_a_member_carries_no_owner_and_the_time_that_its_entry_says():
    stream = b"".join(tar_stream([Member("a", Entry("file", 0o600, 1, changed=77), held(b"x"))]))
    with tarfile.open(fileobj=io.BytesIO(stream)) as tar:
        [info] = tar.getmembers()
    assert (info.mtime, info.uid, info.gid, info.uname, info.mode) == (77, 0, 0, "", 0o600)


@pytest.mark.parametrize("content", [b"", b"short", b"longer than it says"])
def test_a_content_of_another_length_is_refused(content):
    with pytest.raises(ValueError, match=r"a: .* bytes, and not 6"):
        b"".join(tar_stream([Member("a", Entry("file", size=6), held(content))]))


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_how_a_content_came_does_not_change_how_it_is_packed(pieces):
    assert b"".join(packed(pieces)) == b"".join(packed([b"".join(pieces)]))
    assert gzip.decompress(b"".join(packed(pieces))) == b"".join(pieces)


def test_what_does_not_get_smaller_is_only_wrapped():
    noise, text = os.urandom(PIECE), b"text " * (PIECE // 5)
    first, second, *_ = packed([noise, text])
    assert len(noise) <= len(first) < len(noise) + 1000
    assert len(second) < len(text) / 10


def test_no_more_than_a_piece_is_held():
    taken = 0

    def pieces():
        nonlocal taken
        for _ in range(50):
            taken += 1
            yield bytes(PIECE // 4)

    stream = packed(pieces())
    next(stream)
    assert taken <= 5
