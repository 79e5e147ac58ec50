"""Layers of files in a registry: pushed once, found again, read back as they were."""

import gzip
import hashlib
import itertools
import json
import logging
import os

import pytest

from blocks.registry.layers import described_layers
from blocks.registry.manifest import MANIFEST
from flows.core.errors import BadRelease, UnreadableFile
from flows.core.release.bundle import TREE, File, pack
from flows.core.release.layers import in_layers
from flows.core.release.shipment import Shipment
from flows.core.release.tree import dump_tree
from flows.tasks.release.files import file_layers
from flows.tasks.release.files.file_layers import published_layers, push_layers
from flows.tasks.release.files.published_files import PublishedFiles
from tests.support.files.trees import bring
from tests.support.registry_server import serving

pytestmark = pytest.mark.unit

HELD = {"a": b"1", "sub/b\n$": (os.urandom(100), 0o600), "l": "a", "empty": None}


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setattr(file_layers, "get_run_logger", lambda: logging.getLogger("test"))
    with serving("bearer") as server:
        yield server


class Registry:
    """As the block is asked for a client."""

    def __init__(self, server) -> None:
        self._server = server

    def client(self, *, write: bool = True):
        return self._server.client()


def shipment(directory, held: dict) -> Shipment:
    tree, files = bring("files/conf", held)
    for number, content in enumerate(files.values()):
        (directory / str(number)).write_bytes(content)
    return Shipment(tree, {name: str(directory / str(number)) for number, name in enumerate(files)})


def publish(server, tag: str, one: Shipment) -> PublishedFiles:
    with server.client() as client:
        before = published_layers(client, "team/web", (tag, "latest"), one.tree)
        layering = in_layers(one.tree, before)
        own = {TREE: File(dump_tree(layering.tree, layering.stale)), "release.json": File(b"{}")}
        layers = push_layers(one, layering, before, client, "team/web")
        client.push_files("team/web", tag, pack(own), "sha256:own", {}, layers)
        client.tag("team/web", client.manifest("team/web", tag), "latest")
        found = [(layer["digest"], layer["size"]) for layer in client.manifest("team/web", tag).content["layers"][1:]]
    return PublishedFiles(own, tuple(found), "team/web", Registry(server))


def sent(server) -> int:
    return sum(line.startswith("PUT /v2/team/web/blobs") for line in server.asked)


def test_what_is_published_is_read_back(registry, tmp_path):
    published = publish(registry, "v1", shipment(tmp_path, HELD))
    assert published["files/conf/a"] == File(b"1", 0o644)
    assert published["files/conf/sub/b\n$"].mode == 0o600
    assert published["files/conf/sub/b\n$"].content == HELD["sub/b\n$"][0]
    assert set(published) == {TREE, "release.json", "files/conf/a", "files/conf/sub/b\n$"}
    assert len(published) == 4
    assert "files/conf/l" not in published
    with pytest.raises(KeyError):
        published["files/conf/l"]


def test_an_unchanged_layer_is_neither_packed_nor_sent_again(registry, tmp_path, monkeypatch):
    publish(registry, "v1", shipment(tmp_path, HELD))
    before = sent(registry)
    monkeypatch.setattr(file_layers, "packed", lambda _: pytest.fail("it was packed"))
    publish(registry, "v2", shipment(tmp_path, HELD))
    assert sent(registry) == before + 0  # own layer and config are the same, too


def test_a_layer_that_the_registry_lost_is_sent_again(registry, tmp_path):
    publish(registry, "v1", shipment(tmp_path, HELD))
    with registry.client() as client:
        [layer] = described_layers(client.manifest("team/web", "v1").content)
    del registry.blobs[layer.digest]
    published = publish(registry, "v2", shipment(tmp_path, HELD))
    assert published["files/conf/a"].content == b"1"


def test_only_what_changed_is_sent(registry, tmp_path, monkeypatch):
    monkeypatch.setattr("flows.core.release.layers.LARGEST", 3000)
    monkeypatch.setattr("flows.core.release.layers.LEAST", 1000)
    held = {f"{number:02}": os.urandom(500) for number in range(20)}
    publish(registry, "v1", shipment(tmp_path, held))
    before = sent(registry)
    published = publish(registry, "v2", shipment(tmp_path, {**held, "07": b"changed"}))
    assert sent(registry) - before == 3  # the layer, the list of files, and the config that names all layers
    assert published["files/conf/07"].content == b"changed"
    assert published["files/conf/19"].content == held["19"]
    with registry.client() as client:
        newest = described_layers(client.manifest("team/web", "v2").content)[-1]
    assert newest.size < 400


def test_a_tag_that_is_published_again_takes_its_own_layers(registry, tmp_path):
    held = {f"{number:02}": os.urandom(500) for number in range(20)}
    publish(registry, "v1", shipment(tmp_path, held))
    with registry.client() as client:
        first = client.digest("team/web", "v1")
    publish(registry, "v2", shipment(tmp_path, {**held, "07": b"changed"}))
    publish(registry, "v1", shipment(tmp_path, held))
    with registry.client() as client:
        assert client.digest("team/web", "v1") == first


@pytest.mark.parametrize("own", [pack({}), pack({TREE: File(b"damaged")})])
def test_a_release_whose_list_cannot_be_read_has_nothing_to_take(registry, tmp_path, own):
    with registry.client() as client:
        client.push_files("team/web", "latest", own, "sha256:own", {})
    assert publish(registry, "v2", shipment(tmp_path, HELD))["files/conf/a"].content == b"1"


@pytest.mark.parametrize(
    ("new", "words"), [(b"2", "changed while"), (b"longer", "changed while"), (None, "vanished while")]
)
def test_a_file_that_is_no_longer_as_it_was_listed_is_told(registry, tmp_path, new, words):
    one = shipment(tmp_path, HELD)
    if new is None:
        (tmp_path / "0").unlink()
    else:
        (tmp_path / "0").write_bytes(new)
    with pytest.raises(UnreadableFile, match=f"{tmp_path}/0 {words}"):
        publish(registry, "v1", one)


def test_a_list_of_files_that_names_a_layer_which_is_not_there_is_refused(registry, tmp_path):
    one = shipment(tmp_path, HELD)
    with pytest.raises(BadRelease, match="lacks a layer"):
        PublishedFiles({TREE: File(dump_tree(one.tree))}, (), "team/web", Registry(registry))


def test_a_layer_without_a_file_that_is_listed_is_refused(registry, tmp_path):
    publish(registry, "v1", shipment(tmp_path, {"a": b"1"}))
    with registry.client() as client:
        layer = client.manifest("team/web", "v1").content["layers"][1]
    own = {TREE: File(dump_tree(shipment(tmp_path, HELD).tree))}
    published = PublishedFiles(own, ((layer["digest"], layer["size"]),), "team/web", Registry(registry))
    with pytest.raises(BadRelease, match=r"files/conf/sub/b\n\$ is in none of its layers"):
        published["files/conf/sub/b\n$"]


@pytest.mark.parametrize("content", [b"2", b"11", b""], ids=["other", "more", "less"])
def test_a_file_that_is_not_what_is_listed_is_refused_and_no_more_of_it_handed_on(registry, tmp_path, content):
    listed = dump_tree(shipment(tmp_path, {"a": b"1"}).tree)
    published = publish(registry, "v1", shipment(tmp_path, {"a": content}))
    published = PublishedFiles({TREE: File(listed)}, published._layers, "team/web", Registry(registry))
    contents, taken = published.contents(["files/conf/a"]), bytearray()
    _, _, pieces = next(contents)
    with pytest.raises(BadRelease, match="files/conf/a is not what its list of files says"):
        taken.extend(itertools.chain.from_iterable(pieces))
    assert len(taken) <= 1


@pytest.mark.parametrize(
    "damaged", [b"no gzip", gzip.compress(b"no tar", mtime=0), gzip.compress(b"x" * 2000, mtime=0)[:30]]
)
def test_a_layer_that_is_no_archive_is_a_damaged_release(registry, tmp_path, damaged):
    own = {TREE: File(dump_tree(shipment(tmp_path, {"a": b"1"}).tree))}
    digest = f"sha256:{hashlib.sha256(damaged).hexdigest()}"
    registry.blobs[digest] = damaged
    with pytest.raises(BadRelease, match=r"damaged|in none of its layers"):
        PublishedFiles(own, ((digest, len(damaged)),), "team/web", Registry(registry))["files/conf/a"]


@pytest.mark.parametrize("layers", ["x", {}, [1], [{}], [{"digest": 1, "annotations": 2}]])
def test_what_stands_where_layers_belong_is_passed_over(registry, tmp_path, layers):
    registry.manifests["v1"] = (json.dumps({"layers": layers}).encode(), MANIFEST)
    with registry.client() as client:
        assert published_layers(client, "team/web", ("v1",), {}).layers == ()


def test_layers_are_read_in_their_order_each_once(registry, tmp_path, monkeypatch):
    monkeypatch.setattr("flows.core.release.layers.LARGEST", 3000)
    held = {f"{number:02}": os.urandom(500) for number in range(10)}
    published = publish(registry, "v1", shipment(tmp_path, held))
    registry.asked.clear()
    names = [f"files/conf/{name}" for name in ("09", "00", "01")]
    assert [name for name, _, content in published.contents(names) if b"".join(content)] == sorted(names)
    assert sum("GET /v2/team/web/blobs" in line for line in registry.asked) == 4  # the login is asked for once
