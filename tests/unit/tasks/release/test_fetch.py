"""A release that is fetched is the one that was asked for, and nothing that only says so."""

import json

import pytest

from blocks import ContainerRegistry
from flows.core.errors import BadRelease, BadTag, ReleaseNotFound
from flows.core.release import bundle
from flows.core.release.tree import Entry, dump_tree
from flows.tasks.release import fetch
from tests.support.builders import pinned, release
from tests.support.registry_server import PASSWORD, USER, serving, sha

pytestmark = pytest.mark.unit


@pytest.fixture
def server():
    with serving("basic") as server:
        yield server


@pytest.fixture
def registry(server):
    return ContainerRegistry(
        registry_url=server.host, username=USER, password=PASSWORD, namespace="team", layout="single-repository",
        repository="web",
    )  # fmt: skip


def publish(server, document, tag="shop-release-v1", **more):
    """Whatever is given, under the name of a release; its digest."""
    files = {bundle.DOCUMENT: bundle.File(document), **more}
    with server.client() as client:
        return client.push_files("team/web", tag, bundle.pack(files), sha(b"tar"), {})


def fetched(registry, tag="v1", digest=None):
    return fetch.read_published.fn("shop", tag, registry, digest)


def test_what_was_published_is_fetched_with_its_digest(server, registry):
    digest = publish(server, release().document())
    found = fetched(registry)
    assert (found.release, found.digest) == (release(), digest)


OTHERS = {
    "another stack's": release(stack="billing"),
    "an older release": release(tag="v0"),
    "both": release(stack="billing", tag="v0"),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_a_document_that_is_another_release_is_refused(server, registry, other):
    publish(server, other.document())
    with pytest.raises(
        BadRelease, match=rf"has release {other.tag} of stack {other.stack} where release v1 of shop bel"
    ):
        fetched(registry)


def test_a_release_that_is_known_by_its_digest_is_fetched_whatever_its_tag_means_by_then(server, registry):
    meant = publish(server, release().document())
    publish(server, release(services={"web": pinned("web", "b")}).document())
    assert fetched(registry).release.services == {"web": pinned("web", "b")}
    found = fetched(registry, digest=meant)
    assert (found.release, found.digest) == (release(), meant)


def test_one_that_is_not_there_any_more_is_not_replaced_by_what_its_tag_means(server, registry):
    publish(server, release().document())
    with pytest.raises(ReleaseNotFound, match="does not have the release v1 of stack shop any more that was meant"):
        fetched(registry, digest=sha(b"gone"))


@pytest.mark.parametrize("digest", ["latest", "shop-release-v1", "sha256:abc", sha(b"x") + "\n", "../../v2/"])
def test_what_is_no_digest_is_not_asked_for(server, registry, digest):
    publish(server, release().document())
    with pytest.raises(BadTag, match="is no digest of a release"):
        fetched(registry, digest=digest)


def test_a_document_that_leads_out_of_its_files_is_refused(server, registry):
    publish(server, json.dumps({**json.loads(release().document()), "state": ["../../etc/cron.d"]}).encode())
    with pytest.raises(BadRelease, match="is no path below the release's files"):
        fetched(registry)


def test_a_release_that_services_would_write_through_a_link_of_is_refused(server, registry):
    tree = {"files/data": Entry("link", target="/etc")}
    document = release(state=("data/cron.d",)).document()
    publish(server, document, **{bundle.TREE: bundle.File(dump_tree(tree))})
    with pytest.raises(BadRelease, match=r"services write to data/cron\.d, which lies below files/data"):
        fetched(registry)


OTHER_MANIFESTS = {
    "an index": {"manifests": []},
    "layers without digests": {"layers": [{}]},
    "a layer that is a path": {"layers": [{"digest": "../../../v2/"}]},
    "no list": {"layers": "sha256"},
}


@pytest.mark.parametrize("manifest", OTHER_MANIFESTS.values(), ids=OTHER_MANIFESTS)
def test_an_image_that_is_no_release_is_refused(server, registry, manifest):
    server.manifests["shop-release-v1"] = (json.dumps(manifest).encode(), "application/json")
    with pytest.raises(BadRelease, match="holds no release document"):
        fetched(registry)
    assert not any("/blobs/" in line for line in server.asked)


def test_the_newest_release_of_another_stack_is_none_of_ours(server, registry):
    publish(server, release().document(), "shop-release-latest")
    assert fetch.latest_release.fn("shop", registry) == release()
    publish(server, release(stack="billing").document(), "shop-release-latest")
    assert fetch.latest_release.fn("shop", registry) is None


def test_a_stack_that_is_known_by_its_repository_alone_may_have_another_name(server, registry):
    publish(server, release(stack="my__shop").document(), "my-shop-release-v1")
    assert fetch.fetch_named("my-shop", "v1", registry).stack == "my__shop"
    publish(server, release(stack="billing").document(), "my-shop-release-v1")
    with pytest.raises(BadRelease, match="so nothing was removed"):
        fetch.fetch_named("my-shop", "v1", registry)
