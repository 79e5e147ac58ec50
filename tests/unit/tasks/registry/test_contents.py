"""What droplets need of a registry is found out of whole, or nothing is removed."""

import subprocess
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest

from blocks import DocrRegistry
from blocks.digitalocean.registry_models import Tag
from blocks.errors import NotInRegistry, RemoteFailed
from blocks.registry.manifest import MANIFEST, ImageManifest
from flows.core.errors import BadRelease, ReleaseUnderWay, UnreadableAnswer
from flows.core.registry.cleanup import ManifestLinks, NeededRelease, RegistryManifest, old_tags
from flows.core.release.role import as_role
from flows.settings import Settings
from flows.tasks.registry import contents
from tests.support.builders import digest, image, pinned, release

pytestmark = pytest.mark.unit

HOST = "registry.example.com"


DOCR = DocrRegistry.model_construct(
    registry_url=HOST, registry_name="team", namespace="team", layout="repository-per-service", repository=""
)


class Session:
    """A droplet that is a directory of this machine."""

    address = SimpleNamespace(name="green")

    def run(self, script, timeout):
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=timeout, check=False)
        if done.returncode:
            raise RemoteFailed(done.stderr, done.returncode, done.stderr)
        return SimpleNamespace(out=done.stdout)


def place(root, stack, name):
    (root / stack / "releases" / name).mkdir(parents=True)
    return root / stack / "releases" / name / "release.json"


def test_every_release_of_every_stack_on_a_droplet_is_kept(tmp_path):
    root = tmp_path / "a directory"
    place(root, "shop", "1").write_bytes(release(tag="v1").document())
    place(root, "shop", "2").write_bytes(release(tag="v2").document())
    place(root, "tent", "1").write_bytes(release(stack="tent", tag="v9").document())
    place(root, "tent", "without a document")
    stored = [RegistryManifest("web", digest("a")), RegistryManifest("shop-release", digest("c"), ("latest", "v2"))]
    kept = contents.releases_on_droplets.fn([(Session(), str(root))], DOCR, stored)
    assert [(one.stack, one.tag, one.why) for one in kept] == [
        ("shop", "v1", "on droplet green"), ("shop", "v2", "on droplet green"), ("tent", "v9", "on droplet green"),
    ]  # fmt: skip
    assert kept[0].images == {("web", digest("a"))}
    assert kept[1].images == {("web", digest("a")), ("shop-release", digest("c"))} == kept[1].built


def test_a_release_that_stands_on_a_data_home_alone_is_kept_by_the_stacks_own_name(tmp_path):
    whole = release(stack="my__shop", tag="v1", services={"db": pinned("db"), "web": pinned("web")}, home=["db"])
    part = as_role(whole, "home")
    place(tmp_path, part.stack, "1").write_bytes(part.document())
    stored = [RegistryManifest("my-shop-release", digest("c"), ("v1",))]
    kept = contents.releases_on_droplets.fn([(Session(), str(tmp_path))], DOCR, stored)
    assert [one.stack for one in kept] == ["my-shop", "my-shop-home"]  # a stack of the second name may be there, too
    assert ("my-shop-release", digest("c")) in kept[0].built
    published = {"my-shop": [("v1", "2026-01-01"), ("v2", "2026-01-02")]}
    assert old_tags(published, 1, kept) == {"my-shop": []}


def test_an_image_that_a_release_only_takes_is_needed_and_its_repository_is_not_published_to(tmp_path):
    taken = pinned("base", "b")
    both = release(services={"web": pinned("web"), "db": taken}, images={
        pinned("web"): image(), taken: image().model_copy(update={"built": False}),
    })  # fmt: skip
    place(tmp_path, "shop", "1").write_bytes(both.document())
    (kept,) = contents.releases_on_droplets.fn([(Session(), str(tmp_path))], DOCR, [])
    assert kept.images == {("web", digest("a")), ("base", digest("b"))}
    assert kept.repositories == {"web"}


def test_a_droplet_without_releases_needs_nothing(tmp_path):
    assert contents.releases_on_droplets.fn([(Session(), str(tmp_path / "none"))], DOCR, []) == []


def test_a_release_that_cannot_be_read_is_an_error_and_not_left_out(tmp_path):
    place(tmp_path, "shop", "1").mkdir()
    place(tmp_path, "shop", "2").write_bytes(release().document())
    with pytest.raises(RemoteFailed):
        contents.releases_on_droplets.fn([(Session(), str(tmp_path))], DOCR, [])


def test_a_damaged_release_is_an_error_and_not_left_out(tmp_path):
    place(tmp_path, "shop", "1").write_bytes(b'{"tag": ')
    with pytest.raises(BadRelease):
        contents.releases_on_droplets.fn([(Session(), str(tmp_path))], DOCR, [])


class Registry:
    """Manifests by digest; it counts who is asked for."""

    def __init__(self, **contents):
        self.contents = {digest(letter): content for letter, content in contents.items()}
        self.asked = []

    registry_name = "team"

    @contextmanager
    def client(self, write=True):
        assert not write
        yield self

    def manifest(self, path, reference):
        self.asked.append((path, reference))
        if reference not in self.contents:
            raise NotInRegistry("gone")
        return ImageManifest(reference, MANIFEST, self.contents[reference], b"")


def needed(letter):
    images = frozenset({("web", digest(letter))})
    return [NeededRelease("shop", "v1", "kept", images, images)]


def index(*letters):
    return {"manifests": [{"digest": digest(letter)} for letter in letters]}


@pytest.mark.parametrize("rubbish", [{"manifests": [{}]}, {"manifests": 1}, {"subject": {}}, {"subject": "x"}])
def test_a_manifest_that_cannot_be_read_is_an_error_and_nothing_is_removed(rubbish):
    stored = [RegistryManifest("web", digest("a"), ("v1",)), RegistryManifest("web", digest("b"))]
    with pytest.raises(UnreadableAnswer, match="a manifest in the registry cannot be read"):
        contents.manifest_links(stored, needed("a"), Registry(a=rubbish))


def test_parts_of_indexes_that_stay_are_found_also_where_a_release_needs_the_index_by_its_digest():
    there = Registry(a=index("b"), c=index("d"), e=index("f"), b={}, d={}, f={})
    stored = [
        RegistryManifest("web", digest("a"), ("v1",)),
        *[RegistryManifest("web", digest(letter)) for letter in "bcdef"],
    ]
    kept = needed("c")
    assert contents.manifest_links(stored, kept, there) == ManifestLinks(
        frozenset({("web", digest("b")), ("web", digest("d"))}), {}
    )


def test_what_says_in_itself_what_it_is_about_is_found_and_what_is_gone_is_no_error():
    there = Registry(a={}, b={"subject": {"digest": digest("a")}})
    stored = [
        RegistryManifest("web", digest("a"), ("v1",)),
        RegistryManifest("web", digest("b")),
        RegistryManifest("web", digest("c")),
    ]
    assert contents.manifest_links(stored, needed("a"), there).about == {("web", digest("b")): ("web", digest("a"))}


def test_only_repositories_that_a_release_is_published_to_with_something_untagged_are_asked():
    there = Registry()
    stored = [RegistryManifest("web", digest("a"), ("v1",)), RegistryManifest("theirs", digest("b"))]
    assert contents.manifest_links(stored, needed("a"), there) == ManifestLinks(frozenset(), {})
    assert there.asked == []


def test_a_registry_that_changed_since_it_was_read_is_left_alone(monkeypatch):
    stored = [RegistryManifest("web", digest("a"), ("v1",)), RegistryManifest("web", digest("b"))]
    monkeypatch.setattr(contents, "refuse_while_pushing", lambda _settings: None)
    monkeypatch.setattr(contents, "list_registry", lambda _registry: stored[::-1])
    contents.refuse_changed(stored, DOCR, Settings())
    monkeypatch.setattr(contents, "list_registry", lambda _: [stored[0], RegistryManifest("web", digest("b"), ("v2",))])
    with pytest.raises(ReleaseUnderWay, match=r"what team holds changed while it was read\. Nothing was removed"):
        contents.refuse_changed(stored, DOCR, Settings())


@pytest.mark.parametrize("newest", ["v1", "v2"])
def test_of_releases_of_one_second_the_one_that_latest_means_is_the_newest(newest):
    at = "2026-11-28T06:00:00Z"
    tags = [Tag("shop-release", name, digest(name[-1]), at) for name in ("v1", "v2")]
    tags.append(Tag("shop-release", "latest", digest(newest[-1]), at))
    client = SimpleNamespace(registries=SimpleNamespace(tags=lambda *_: tags))
    account = SimpleNamespace(client=lambda: nullcontext(client))
    registry = SimpleNamespace(single_repository="", registry_name="team", account=account)
    stored = [RegistryManifest("shop-release", digest("1"), ("v1",))]
    published = contents.published_tags(stored, registry)
    assert list(old_tags(published, 1, []).values()) == [[{"v1": "v2", "v2": "v1"}[newest]]]


@pytest.mark.parametrize("kind", ["sig", "att"])
def test_a_signature_beside_a_release_is_none(kind):
    beside = f"sha256-{'1' * 64}.{kind}"
    tags = [Tag("shop-release", name, digest("1"), "2026") for name in ("v1", beside)]
    client = SimpleNamespace(registries=SimpleNamespace(tags=lambda *_: tags))
    account = SimpleNamespace(client=lambda: nullcontext(client))
    registry = SimpleNamespace(single_repository="", registry_name="team", account=account)
    stored = [RegistryManifest("shop-release", digest("1"), ("v1",))]
    assert contents.published_tags(stored, registry) == {"shop": [("v1", "2026")]}
