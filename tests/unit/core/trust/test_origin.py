"""The origin of an image, by its attestations."""

import json
from dataclasses import replace

import pytest

from flows.core.errors import UnreadableAnswer
from flows.core.trust.origin import ListedPackage, RunningImage, image_origin, read_sbom
from flows.core.trust.sbom import sbom
from tests.support.builders import digest
from tests.unit.core.trust.test_provenance import MADE, RUN, SOURCE
from tests.unit.core.trust.test_sbom import CONTENTS, DIGEST, IMAGE

pytestmark = pytest.mark.unit

SBOM = sbom(IMAGE, DIGEST, CONTENTS)
RUNNING = RunningImage("green", "web", "v1", "2026-05-04T12:00:00+00:00")


def test_it_says_what_it_is_who_built_it_what_is_in_it_and_where_it_runs():
    found = image_origin(IMAGE, DIGEST, "signed by key 1", MADE, SBOM, [RUNNING])
    assert found.provenance is not None
    assert (found.provenance.source, found.provenance.run) == (SOURCE, RUN)
    assert found.counts == {"deb": 1, "npm": 1, "pypi": 1}
    assert found.running == (RUNNING,)
    said = json.loads(json.dumps(found.as_json()))
    assert said["provenance"]["bases"][0]["digest"] == digest("b")
    assert {"kind": "deb", "name": "libssl3", "version": "1:3.0+b1", "license": ""} in said["packages"]


def test_what_is_not_attested_is_none():
    found = image_origin(IMAGE, DIGEST)
    assert (found.provenance, found.packages, found.counts) == (None, None, {})
    assert found.as_json()["provenance"] is None
    assert replace(found, packages=()).as_json()["packages"] == []


def test_the_sbom_of_another_image_is_refused():
    with pytest.raises(UnreadableAnswer):
        image_origin(IMAGE, digest("b"), document=SBOM)


def test_that_of_another_generator_is_read():
    other = {
        "bomFormat": "CycloneDX",
        "metadata": {"component": {"version": DIGEST}},
        "components": [{"name": "x", "licenses": [{"expression": "MIT"}, {"license": {"name": "y"}}]}],
    }
    assert read_sbom(json.dumps(other).encode(), DIGEST) == ((ListedPackage("other", "x", "", "MIT, y"),), ())


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 100_000, b'{"metadata": {"component": 1}}', b"null"])
def test_what_is_none_is_one_known_error(content):
    with pytest.raises(UnreadableAnswer, match="the SBOM of an image"):
        read_sbom(content, DIGEST)
