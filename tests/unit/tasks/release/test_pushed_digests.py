"""The digest of an image is what was built or copied, whatever its tag means by the time the registry is asked."""

import json
import logging
from contextlib import nullcontext

import pytest

from blocks import ContainerRegistry
from blocks.registry.client import RegistryClient
from blocks.registry.manifest import MANIFEST
from flows.core.errors import PushFailed, UnpinnedImage
from flows.settings import Settings
from flows.tasks.release import build, pin_images
from flows.tasks.runs import registry_writes as write_access
from tests.support.registry_server import PASSWORD, USER, serving, sha

pytestmark = pytest.mark.unit
OURS, THEIRS = b'{"layers": ["ours"]}', b'{"layers": ["theirs"]}'


@pytest.fixture
def server(monkeypatch):
    for module in (build, write_access):
        monkeypatch.setattr(module, "get_run_logger", lambda: logging.getLogger("test"))
    monkeypatch.setattr(ContainerRegistry, "docker_config", lambda _self: nullcontext({}))
    with serving("none") as server:
        yield server


@pytest.fixture
def registry(server):
    return ContainerRegistry(registry_url=server.host, username=USER, password=PASSWORD, namespace="team")


def put(server, content, *tags):
    for name in (*tags, sha(content)):
        server.manifests[name] = (content, MANIFEST)
    return sha(content)


def built(server, *digests):
    repository = f"{server.host}/team/web"
    return build.Built(f"{repository}:v2", ("l",), tuple(f"{repository}@{d}" for d in digests), 1, "linux/amd64")


def pushed(images, registry, ahead=None):
    return build.push_images.fn(images, registry, Settings(), {}, ahead)


def test_an_image_that_is_there_gets_its_tag_and_keeps_the_digest_it_was_built_with(server, registry):
    ours = put(server, OURS, "v1")
    image = built(server, ours)
    assert pushed([image], registry) == {image.reference: ours}
    assert server.manifests["v2"] == server.manifests["v1"]


def test_a_tag_that_is_moved_right_after_it_was_set_is_an_error_and_no_digest(server, registry, monkeypatch):
    image = built(server, put(server, OURS, "v1"))
    put(server, THEIRS)
    tag = RegistryClient.tag

    def moved(self, *what):
        tag(self, *what)
        put(server, THEIRS, "v2")

    monkeypatch.setattr(RegistryClient, "tag", moved)
    with pytest.raises(PushFailed, match=f"the registry shows {sha(THEIRS)} for .* the engine pushed {sha(OURS)}"):
        pushed([image], registry)


class Ahead:
    """What would be pulled onto a droplet ahead."""

    def __init__(self):
        self.asked = []

    def pull(self, sizes, _platforms):
        self.asked += sizes


@pytest.fixture
def push_of(server, monkeypatch):
    """Have `docker push` leave this manifest under the tag, where the engine knows that it pushed ours."""

    def push_of(content):
        monkeypatch.setattr(build, "stream", lambda *_: (put(server, content, "v2") and 0, []))
        monkeypatch.setattr(build, "built_images", lambda *_: [built(server, sha(OURS))])

    return push_of


def test_a_pushed_image_has_the_digest_that_the_engine_pushed(server, registry, push_of):
    push_of(OURS)
    image, ahead = built(server), Ahead()
    assert pushed([image], registry, ahead) == {image.reference: sha(OURS)}
    assert ahead.asked == [f"{server.host}/team/web@{sha(OURS)}"]


def test_what_somebody_else_pushed_at_the_same_time_is_neither_taken_nor_pulled_ahead(server, registry, push_of):
    push_of(THEIRS)
    ahead = Ahead()
    with pytest.raises(PushFailed, match="somebody else pushed this tag at the same time"):
        pushed([built(server)], registry, ahead)
    assert ahead.asked == []


def test_a_digest_that_has_not_its_form_is_not_taken_from_the_engine(server, registry, push_of):
    push_of(OURS)
    image = built(server, "v1")
    put(server, THEIRS, "v1")
    assert pushed([image], registry) == {image.reference: sha(OURS)}


INDEX = json.dumps({"manifests": [{"digest": sha(OURS)}]}).encode()
COPIES = {"itself": OURS, "an index of it alone": INDEX}
OTHERS = {
    "another image": THEIRS,
    "an index with another image": json.dumps({"manifests": [{"digest": sha(OURS)}, {"digest": sha(THEIRS)}]}).encode(),
    "no list of images": b'{"manifests": "all"}',
}


def copied(server):
    with server.client() as client:
        return pin_images._copied(f"docker.io/library/web:1@{sha(OURS)}", f"{server.host}/team/web:v2", client)


@pytest.mark.parametrize("content", COPIES.values(), ids=COPIES)
def test_a_copy_is_pinned_to_what_was_copied(server, content):
    put(server, content, "v2")
    assert copied(server) == f"{server.host}/team/web@{sha(content)}"


@pytest.mark.parametrize("content", OTHERS.values(), ids=OTHERS)
def test_what_stands_where_a_copy_belongs_is_not_taken_for_it(server, content):
    put(server, content, "v2")
    with pytest.raises(UnpinnedImage, match=rf"shows {sha(content)} for .*/team/web:v2, where the copy of"):
        copied(server)


@pytest.mark.parametrize("image", ["web@sha256:abc", f"web@{sha(OURS)}x", f"Web@{sha(OURS)}"])
def test_an_image_that_the_stack_pins_by_no_digest_is_refused_before_it_is_published(registry, image):
    with pytest.raises(UnpinnedImage, match="is no image with a digest"):
        pin_images.pin_external.fn([image], "v1", registry, Settings(), {})
