"""Packages of images in a registry: each layer is fetched once, and not again by the next release."""

from datetime import UTC, datetime

import pytest

from blocks.errors import RegistryFailed
from flows.core.errors import UnreadableAnswer
from flows.tasks.trust.image_packages import image_contents
from flows.tasks.trust.layer_cache import LayerCache
from tests.support.files.image_layers import INDEX, layer_of, member, push_image, push_manifest
from tests.support.registry_server import serving, sha

pytestmark = pytest.mark.unit

BASE = layer_of(member("var/lib/dpkg/status", b"Package: bash\nStatus: install ok installed\nVersion: 5\n"))
ONE = layer_of(member("a/one-1.dist-info/METADATA", b"Name: one\nVersion: 1\n"))
TWO = layer_of(member("a/two-2.dist-info/METADATA", b"Name: two\nVersion: 2\n"))
STRIPPED = layer_of("var/lib/dpkg/.wh.status")


@pytest.fixture
def registry():
    with serving("none") as server:
        yield server


def read(registry, *digests, cache=None):
    """The names of the packages of each image."""
    references = [f"{registry.host}/team/web@{one}" for one in digests]
    with registry.client() as client:
        found = image_contents(references, client, cache or LayerCache(None))
    return [[package.name for package in found[reference].packages.packages] for reference in references]


def fetched(registry) -> int:
    return len([line for line in registry.asked if "/blobs/" in line])


def test_each_image_has_the_packages_of_its_layers(registry):
    images = [push_image(registry, layers) for layers in ([BASE, ONE], [BASE, TWO], [BASE, ONE, STRIPPED])]
    assert read(registry, *images) == [["bash", "one"], ["bash", "two"], ["one"]]
    assert fetched(registry) == 3 + 4  # the configurations, and each layer once


def test_a_layer_that_was_read_before_is_not_fetched_again(registry, tmp_path):
    cache = LayerCache(tmp_path / "own/layers")
    read(registry, push_image(registry, [BASE, ONE]), cache=cache)
    before = fetched(registry)
    assert read(registry, push_image(registry, [BASE, TWO]), cache=cache) == [["bash", "two"]]
    assert fetched(registry) - before == 2  # its configuration and its last layer


def test_an_image_says_when_it_was_built_and_for_what(registry):
    reference = f"{registry.host}/team/web@{push_image(registry, [BASE])}"
    with registry.client() as client:
        found = image_contents([reference], client, LayerCache(None))[reference]
    assert (found.created, found.platform) == (datetime(2026, 5, 4, 12, tzinfo=UTC), "linux/amd64")


def test_an_index_stands_for_its_image_for_amd64(registry):
    other, mine, attestation = (push_image(registry, layers) for layers in ([ONE], [TWO], [BASE]))
    platforms = {attestation: "unknown/unknown", other: "linux/arm64", mine: "linux/amd64"}
    entries = [
        {"digest": one, "platform": dict(zip(("os", "architecture"), platform.split("/"), strict=True))}
        for one, platform in platforms.items()
    ]
    assert read(registry, push_manifest(registry, {"manifests": entries}, INDEX)) == [["two"]]


@pytest.mark.parametrize(
    "content", [{}, {"layers": []}, {"layers": [{}], "config": {}}, {"manifests": []}, {"manifests": [1]}]
)
def test_what_is_no_image_is_one_known_error(registry, content):
    with pytest.raises(UnreadableAnswer):
        read(registry, push_manifest(registry, content, INDEX))


def test_another_layer_than_the_image_names_is_not_read(registry, tmp_path):
    image = push_image(registry, [BASE])
    layer = next(name for name, blob in registry.blobs.items() if blob[:2] == b"\x1f\x8b")
    registry.blobs[layer] = b"another"
    assert sha(b"another") != layer
    with pytest.raises(RegistryFailed, match="arrived damaged"):
        read(registry, image, cache=LayerCache(tmp_path / "own/layers"))
    assert list((tmp_path / "own/layers").iterdir()) == []
