"""A release's own files: the same bytes for the same content, and nothing from outside their root."""

import gzip
import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.errors import BadRelease
from flows.core.release.bundle import File, pack, unpack

pytestmark = pytest.mark.unit

part = st.text(
    alphabet=st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=40
).filter(lambda name: name not in (".", ".."))
paths = st.lists(part, min_size=1, max_size=4).map("/".join)
files = st.dictionaries(paths, st.builds(File, st.binary(max_size=50), st.sampled_from([0o644, 0o755, 0o600])))


@given(files)
def test_what_is_packed_is_unpacked(content):
    assert unpack(pack(content)) == content


@given(files)
def test_equal_content_gives_equal_bytes(content):
    assert pack(dict(reversed(content.items()))) == pack(content)


def test_a_long_path_survives():
    name = "/".join(["directory"] * 40)
    assert unpack(pack({name: File(b"x")})) == {name: File(b"x")}


def test_a_bundle_carries_no_time_and_no_owner():
    with tarfile.open(fileobj=io.BytesIO(pack({"a": File(b"x", 0o600)}))) as tar:
        [entry] = tar.getmembers()
    assert (entry.mtime, entry.uid, entry.gid, entry.uname, entry.mode) == (0, 0, 0, "", 0o600)


HOSTILE = {
    "absolute": ("/etc/passwd", tarfile.REGTYPE),
    "above": ("../x", tarfile.REGTYPE),
    "above, in the middle": ("a/../../x", tarfile.REGTYPE),
    "absolute behind a dot": (".//etc/passwd", tarfile.REGTYPE),
    "a link": ("link", tarfile.SYMTYPE),
    "a hard link": ("link", tarfile.LNKTYPE),
    "a device": ("null", tarfile.CHRTYPE),
    "a directory": ("dir", tarfile.DIRTYPE),
}


@pytest.mark.parametrize(("name", "kind"), HOSTILE.values(), ids=HOSTILE)
def test_anything_but_plain_files_below_the_root_is_left_out(name, kind):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, "/etc/passwd"
        tar.addfile(entry)
        tar.addfile(tarfile.TarInfo("./good"), io.BytesIO())
    assert unpack(gzip.compress(raw.getvalue(), mtime=0)) == {"good": File(b"")}


def test_a_bundle_that_unpacks_to_more_than_a_release_can_hold_is_refused(monkeypatch):
    monkeypatch.setattr("flows.core.release.bundle.LARGEST", 1_000_000)
    assert unpack(pack({"a": File(bytes(900_000))}))["a"].content == bytes(900_000)
    with pytest.raises(BadRelease, match="larger than 1,000,000 bytes"):
        unpack(pack({"a": File(bytes(2_000_000))}))
    with pytest.raises(BadRelease, match="larger"):  # nor in what is left out
        unpack(pack({"/a": File(bytes(2_000_000))}))


@pytest.mark.parametrize(
    "data", [b"", b"no gzip", gzip.compress(b"no tar", mtime=0)[:-4], gzip.compress(b"x" * 2000, mtime=0)]
)
def test_a_damaged_bundle_is_a_bad_release(data):
    with pytest.raises(BadRelease, match="damaged"):
        unpack(data)
