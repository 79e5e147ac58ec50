"""The release document: it is read back as it was written, or refused with what to do next."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from flows.core.errors import BadRelease
from flows.core.release.release import content_hash, read_release
from flows.core.stack.files.shipped_files import EnvironmentFile
from tests.support.builders import image, pinned, release

pytestmark = pytest.mark.unit

FULL = release(
    commit="c0ffee",
    profiles=("metrics",),
    images={pinned("web"): image(("a", 1), ("b", 2), platforms=("linux/amd64", "linux/arm64/v8"))},
    environment_files=(EnvironmentFile(path="key", secret=True, mode=0o440),),
    secret_readers={"web": ("key",)},
    state=("uploads",),
    host_paths=("/var/run/docker.sock",),
)


def test_a_release_is_read_back_as_it_was_written():
    assert read_release(FULL.document()) == FULL
    assert read_release(release().document()) == release()


def test_equal_releases_have_equal_documents():
    assert read_release(FULL.document()).document() == FULL.document()


def test_a_release_cannot_be_changed():
    with pytest.raises(ValidationError):
        FULL.tag = "other"


def changed(**more) -> bytes:
    return json.dumps({**json.loads(FULL.document()), **more}).encode()


DAMAGED = {
    "nothing": (b"", "release document: "),
    "no JSON": (b"<html>", "release document: : Invalid JSON"),
    "a field is missing": (b"{}", "release document: stack: Field required"),
    "a field nobody knows": (changed(colour="blue"), "release document: colour: Extra inputs"),
    "another format": (changed(format=2), "release v1 is of format 2; this version of Slipway reads format 1"),
    "an image nobody described": (changed(images={}), "release document: : Value error, web runs"),
    "a tag where a digest belongs": (
        changed(services={"web": "host/web:v1"}, images={"host/web:v1": {}}),
        "release document: : Value error, web runs host/web:v1",
    ),
    "no compose file": (changed(compose_files=[]), "release document: compose_files: "),
}


@pytest.mark.parametrize(("document", "words"), DAMAGED.values(), ids=DAMAGED)
def test_a_document_that_cannot_be_used_is_refused(document, words):
    with pytest.raises(BadRelease) as error:
        read_release(document)
    assert str(error.value).startswith(words)


@given(st.binary(max_size=50))
def test_any_bytes_are_a_release_or_refused(document):
    with pytest.raises(BadRelease):
        read_release(document)


def test_the_override_pins_every_service_and_labels_those_whose_files_matter():
    two = release(services={"web": pinned("web"), "db": pinned("db", "b")})
    assert yaml.safe_load(two.override({"web": "f00"})) == {
        "services": {
            "web": {"image": pinned("web"), "labels": {"dev.slipway.files": "f00"}},
            "db": {"image": pinned("db", "b")},
        }
    }


parts = st.dictionaries(st.text(max_size=5), st.binary(max_size=5), max_size=4)


@given(parts, parts)
def test_a_fingerprint_stands_for_names_and_contents_alone(one, other):
    assert (content_hash(one) == content_hash(other)) is (one == other)
    assert content_hash(dict(reversed(one.items()))) == content_hash(one)
    assert len(content_hash(one)) == 16
