"""The release document: it is read back as it was written, or refused with what to do next."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from flows.core.errors import BadRelease
from flows.core.release.release import content_hash, read_release, refuse_misplaced
from flows.core.release.tree import Entry
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
        "release document: services.web: Value error, 'host/web:v1' is no image with a digest",
    ),
    "no compose file": (changed(compose_files=[]), "release document: compose_files: "),
}


@pytest.mark.parametrize(("document", "words"), DAMAGED.values(), ids=DAMAGED)
def test_a_document_that_cannot_be_used_is_refused(document, words):
    with pytest.raises(BadRelease) as error:
        read_release(document)
    assert str(error.value).startswith(words)


WEB, GOOD = pinned("web"), json.loads(FULL.document())
LAYERS = {**GOOD["images"][WEB], "layers": [{"digest": "sha256:../x", "size": 1}]}
ELSEWHERE = ("/etc", "../x", "a/../../x", "a/./b", "a//b", "a/", ".", "", "..", "a\0b")
COPY = {"service": "web", "secret": "key", "target": "/run/key", "path": "key", "mode": 0o400}
HOSTILE = {
    **{f"stack {name!r}": {"stack": name} for name in ("../../etc/cron.d", "Shop", "a b", "", "-x", "$(id)", "shop\n")},
    **{f"tag {tag!r}": {"tag": tag} for tag in ("../v1", ".", "-x", "v 1", "", "v" * 129, "v1\n")},
    **{f"state {path!r}": {"state": [path]} for path in ELSEWHERE},
    **{f"compose file {path!r}": {"compose_files": [path]} for path in ELSEWHERE},
    **{f"env file {path!r}": {"environment_files": [{"path": path}]} for path in ELSEWHERE},
    **{f"secret {path!r}": {"secret_readers": {"web": [path]}} for path in ELSEWHERE},
    **{f"copy {path!r}": {"secret_copies": [{**COPY, "path": path}]} for path in ELSEWHERE},
    **{f"rule {path!r}": {"rules": {path: "keep"}} for path in ELSEWHERE},
    "a mode of no file": {"environment_files": [{"path": "a", "mode": 0o10000}]},
    "a mode below nothing": {"secret_copies": [{**COPY, "mode": -1}]},
    "a secret's name": {"secret_copies": [{**COPY, "secret": "a: b"}]},
    "a service's name": {"services": {"a b": WEB}},
    "a service at home": {"home": ["../x"]},
    "a service that waits": {"waits": {"web": ["a/b"]}},
    "a volume": {"volumes": {"a b": "x"}},
    "a digest that is too short": {"services": {"web": "host/web@sha256:abc"}},
    "a digest in capitals": {"services": {"web": "host/web@sha256:" + "A" * 64}},
    "an image that is an option": {"services": {"web": f"--all@{WEB.split('@')[1]}"}},
    "an image with a path that leads up": {"services": {"web": f"host/../web@{WEB.split('@')[1]}"}},
    "a described image": {"images": {**GOOD["images"], "web": {}}},
    "a layer": {"images": {WEB: LAYERS}},
    "a layer of less than nothing": {"images": {WEB: {"layers": [{"digest": WEB.split("@")[1], "size": -1}]}}},
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_a_document_holds_no_name_path_or_digest_that_no_release_of_ours_has(change):
    with pytest.raises(BadRelease, match="release document: "):
        read_release(changed(**change))


def test_what_releases_do_hold_is_taken():
    digest = WEB.split("@")[1]
    images = [
        f"redis@{digest}",
        f"postgres:16@{digest}",
        f"localhost:5000/a/b__c@{digest}",
        f"[::1]:5000/x-y.z@{digest}",
    ]
    both = release(
        stack="a_b-c2", tag="V1.0_rc-1", services={f"s.{n}": image for n, image in enumerate(images)},
        compose_files=("..data/compose.yml", "a b/$x.yml", "ä/…"), state=("a", ".b/c", "..c"),
    )  # fmt: skip
    assert read_release(both.document()) == both


LINK, DIRECTORY = Entry("link", target="/etc"), Entry("directory", 0o755)


@pytest.mark.parametrize("tree", [{"files/a": LINK}, {"files/a": DIRECTORY, "files/a/b": LINK}, {"seed/a": LINK}])
def test_a_path_that_services_write_to_does_not_lie_below_a_link(tree):
    with pytest.raises(BadRelease, match="services write to a/b/c, which lies below"):
        refuse_misplaced(release(state=("a/b/c",)), tree)
    refuse_misplaced(release(state=("c", "a-b")), tree)
    refuse_misplaced(release(state=("a/b/c",)), {"files/a": DIRECTORY, "files/a/b/c": LINK})


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
