"""Layers of images: which databases they hold, what they hide, and what is no layer."""

import gzip
import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.errors import UnreadableAnswer
from flows.core.trust.packages import layer as layer_module
from flows.core.trust.packages.layer import LayerDatabases, databases_in, dump_layer, load_layer, read_layer
from tests.support.files.image_layers import layer_of, link, member

pytestmark = pytest.mark.unit

STATUS = "var/lib/dpkg/status"
METADATA = "app/lib/a-1.dist-info/METADATA"


def read(*members) -> LayerDatabases:
    return read_layer(io.BytesIO(layer_of(*members)))


@pytest.mark.parametrize("pack", [lambda tar: tar, gzip.compress], ids=["tar", "gzip"])
def test_only_databases_are_held(pack):
    tar = layer_of(
        member("./var/lib/dpkg/status", b"Package: a"),
        member("/usr/lib/os-release", b"ID=x"),
        member("app/node_modules/@s/p/package.json", b"{}"),
        member("app/node_modules/p/lib/package.json", b"{}"),
        member("app/package.json", b"{}"),
        member("chroot/var/lib/dpkg/status", b"Package: b"),
        member("var/lib/rpm/rpmdb.sqlite", b"much"),
        member(METADATA, b"Name: a\n"),
        member("large", b"x" * 1_000_000),
    )
    assert read_layer(io.BytesIO(pack(tar))).files == {
        "var/lib/dpkg/status": b"Package: a",
        "usr/lib/os-release": b"ID=x",
        "app/node_modules/@s/p/package.json": b"{}",
        "var/lib/rpm/rpmdb.sqlite": b"",
        METADATA: b"Name: a\n",
    }


def test_a_hard_link_has_the_content_that_it_leads_to():
    cache = "root/.cache/archive/a-1.dist-info/METADATA"
    found = read(member(cache, b"Name: a\n"), member(METADATA, kind=tarfile.LNKTYPE, target=cache))
    assert found.files[METADATA] == b"Name: a\n"


@pytest.mark.parametrize(
    ("above", "stays"),
    {
        "nothing": ([], True),
        "the file": (["app/lib/a-1.dist-info/.wh.METADATA"], False),
        "a directory above it": (["app/.wh.lib"], False),
        "one of a like name": (["app/.wh.li"], True),
        "an opaque directory": (["app/.wh..wh..opq"], False),
        "an opaque root": ([".wh..wh..opq"], False),
        "another opaque directory": (["var/.wh..wh..opq"], True),
        "a link in its directory's place": ([link("app/lib", "/elsewhere")], False),
        "a name that leads out": (["../app/.wh.lib"], True),
    }.values(),
)
def test_an_upper_layer_hides_what_it_removes(above, stays):
    layers = [read(member(METADATA, b"Name: a\n")), read(*above)]
    assert (METADATA in databases_in(layers)) is stays


def test_a_layer_hides_nothing_of_its_own():
    found = databases_in([read(member("app/lib/b-1.dist-info/METADATA")), read(member(METADATA), "app/.wh..wh..opq")])
    assert list(found) == [METADATA]


def test_what_an_upper_layer_writes_counts():
    layers = [read(member(STATUS, b"old")), read(member(STATUS, b"new"))]
    assert databases_in(layers) == {STATUS: b"new"}


def test_a_layer_that_was_kept_is_the_same():
    found = read(member(STATUS, bytes(range(256))), "a/.wh.b", "c/.wh..wh..opq", link("d", "e"))
    assert load_layer(dump_layer(found)) == found
    assert dump_layer(found) == dump_layer(found)


BAD = {
    "nothing": b"",
    "text": b"no archive" * 100,
    "half a gzip": gzip.compress(layer_of(member(STATUS, b"x")))[:40],
    "a damaged gzip": b"\x1f\x8b" + b"\x00" * 40,
    "zstd": b"\x28\xb5\x2f\xfd" + b"\x00" * 2000,
    "a header without an end": tarfile.TarInfo("x").tobuf()[:156] + b"x" + b"\x00" * 355,
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_what_is_no_layer_is_one_known_error(content):
    with pytest.raises(UnreadableAnswer, match="a layer of an image cannot be read"):
        read_layer(io.BytesIO(content))


@pytest.mark.parametrize("size", [4000, 2_000_000])
def test_a_header_that_is_larger_than_a_name_is_not_read(size):
    outcomes = {4000: "a layer", 2_000_000: "a layer of an image"}
    assert outcome(layer_of(member("x" * size))) == outcomes[size]


@pytest.mark.parametrize(
    ("limit", "value"), [("_MOST_UNPACKED", 10_000), ("_MOST_BYTES", 100), ("_MOST_PATHS", 2), ("_MOST_KEPT", None)]
)
def test_a_layer_that_is_too_large_in_any_respect_is_a_known_error(monkeypatch, limit, value):
    tar = layer_of(member(STATUS, b"x" * 20_000), ".wh.a", ".wh.b", ".wh.c")
    assert read_layer(io.BytesIO(tar)).files
    monkeypatch.setattr(layer_module, limit, value or {**layer_module._MOST_KEPT, "whole": 10})
    with pytest.raises(UnreadableAnswer):
        read_layer(io.BytesIO(tar))


@given(st.binary(max_size=600), st.integers(0, 2000))
def test_damage_anywhere_is_a_known_error_or_none(damage, place):
    tar = bytearray(layer_of(member(STATUS, b"Package: a\n"), "a/.wh.b", link("d", "e")))
    tar[place : place + len(damage)] = damage
    assert outcome(bytes(tar)) in ("a layer", "a layer of an image")


def outcome(tar: bytes) -> str:
    try:
        read_layer(io.BytesIO(tar))
    except UnreadableAnswer as error:
        return str(error).partition(" cannot be read")[0]
    return "a layer"


@given(st.binary(max_size=200))
def test_what_was_not_kept_by_us_is_a_known_error(content):
    with pytest.raises(UnreadableAnswer):
        load_layer(content)
