"""What droplets need of a registry is found out of whole, or nothing is removed."""

import subprocess
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest

from blocks import DocrRegistry, Droplet
from blocks.errors import NotInRegistry, RemoteFailed, Unreachable
from blocks.registry.client import MANIFEST, ImageManifest
from flows.core.errors import BadRelease, BlockMissing, ReleaseUnderWay
from flows.core.registry.cleanup import ManifestLinks, NeededRelease, RegistryManifest
from flows.settings import Settings
from flows.tasks.registry import contents as registry
from flows.tasks.registry import exclusive_access as quiet
from tests.support.builders import digest, release

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
    kept = registry.releases_on_droplets.fn([(Session(), str(root))], DOCR, stored)
    assert [(one.stack, one.tag, one.why) for one in kept] == [
        ("shop", "v1", "on droplet green"), ("shop", "v2", "on droplet green"), ("tent", "v9", "on droplet green"),
    ]  # fmt: skip
    assert kept[0].images == {("web", digest("a"))}
    assert kept[1].images == {("web", digest("a")), ("shop-release", digest("c"))}


def test_a_droplet_without_releases_needs_nothing(tmp_path):
    assert registry.releases_on_droplets.fn([(Session(), str(tmp_path / "none"))], DOCR, []) == []


def test_a_release_that_cannot_be_read_is_an_error_and_not_left_out(tmp_path):
    place(tmp_path, "shop", "1").mkdir()
    place(tmp_path, "shop", "2").write_bytes(release().document())
    with pytest.raises(RemoteFailed):
        registry.releases_on_droplets.fn([(Session(), str(tmp_path))], DOCR, [])


def test_a_damaged_release_is_an_error_and_not_left_out(tmp_path):
    place(tmp_path, "shop", "1").write_bytes(b'{"tag": ')
    with pytest.raises(BadRelease):
        registry.releases_on_droplets.fn([(Session(), str(tmp_path))], DOCR, [])


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


def index(*letters):
    return {"manifests": [{"digest": digest(letter)} for letter in letters]}


def test_parts_of_indexes_that_stay_are_found_also_where_a_release_needs_the_index_by_its_digest():
    there = Registry(a=index("b"), c=index("d"), e=index("f"), b={}, d={}, f={})
    stored = [
        RegistryManifest("web", digest("a"), ("v1",)),
        *[RegistryManifest("web", digest(letter)) for letter in "bcdef"],
    ]
    kept = [NeededRelease("shop", "v1", "kept", frozenset({("web", digest("c"))}))]
    assert registry.manifest_links(stored, kept, there) == ManifestLinks(
        frozenset({("web", digest("b")), ("web", digest("d"))}), {}
    )


def test_what_says_in_itself_what_it_is_about_is_found_and_what_is_gone_is_no_error():
    there = Registry(a={}, b={"subject": {"digest": digest("a")}})
    stored = [
        RegistryManifest("web", digest("a"), ("v1",)),
        RegistryManifest("web", digest("b")),
        RegistryManifest("web", digest("c")),
    ]
    assert registry.manifest_links(stored, [], there).about == {("web", digest("b")): ("web", digest("a"))}


def test_only_repositories_with_something_untagged_are_asked():
    there = Registry()
    assert registry.manifest_links([RegistryManifest("web", digest("a"), ("v1",))], [], there) == ManifestLinks(
        frozenset(), {}
    )
    assert there.asked == []


def test_a_registry_that_changed_since_it_was_read_is_left_alone(monkeypatch):
    stored = [RegistryManifest("web", digest("a"), ("v1",)), RegistryManifest("web", digest("b"))]
    monkeypatch.setattr(registry, "refuse_running", lambda _settings: None)
    monkeypatch.setattr(registry, "list_registry", lambda _registry: stored[::-1])
    registry.refuse_changed(stored, DOCR, Settings())
    monkeypatch.setattr(registry, "list_registry", lambda _: [stored[0], RegistryManifest("web", digest("b"), ("v2",))])
    with pytest.raises(ReleaseUnderWay, match=r"what team holds changed while it was read\. Nothing was removed"):
        registry.refuse_changed(stored, DOCR, Settings())


@pytest.fixture
def blocks(monkeypatch, tmp_path):
    """Droplet blocks by name."""
    saved = {name: Droplet(host=f"{name}.example.com", private_key="k") for name in ("green", "spare")}

    def load(name):
        if name not in saved:
            raise BlockMissing(name)
        return saved[name]

    monkeypatch.setattr(quiet, "saved_names", lambda _kind: sorted(saved))
    monkeypatch.setattr(quiet, "load_droplet", load)
    monkeypatch.delenv("SLIPWAY_SETTINGS", raising=False)  # a lab that runs has settings of its own
    for name in ("SLIPWAY_DROPLETS", "SLIPWAY_GREEN", "SLIPWAY_BLUE", "SLIPWAY_HOME"):
        monkeypatch.delenv(name, raising=False)
    return saved


def hosts(*without, **settings):
    return [droplet.host.partition(".")[0] for droplet in quiet.all_droplets(Settings(**settings), without)]


def test_every_droplet_that_was_saved_is_asked_whatever_the_settings_name(blocks):
    assert hosts() == ["green", "spare"]  # there is no blue yet, and nobody said that there is
    assert hosts(droplets=("green",)) == ["green", "spare"]
    assert hosts("spare") == ["green"]


@pytest.mark.parametrize("settings", [{"droplets": ("gone",)}, {"green": ("gone",)}, {"home": "gone"}])
def test_a_droplet_that_somebody_named_must_be_known(blocks, settings):
    with pytest.raises(BlockMissing, match="gone"):
        hosts(**settings)
    assert hosts("gone", **settings) == ["green", "spare"]


def test_two_blocks_of_one_place_are_asked_once(blocks):
    blocks["again"] = blocks["green"].model_copy()
    blocks["beside"] = blocks["green"].model_copy(update={"directory": "/opt/other"})
    assert hosts() == ["green", "green", "spare"]
    assert sorted(d.directory for d in quiet.all_droplets(Settings(), ()))[0] == "/opt/other"


def test_a_droplet_that_cannot_be_asked_may_need_anything(blocks, monkeypatch):
    monkeypatch.setattr(quiet, "refuse_running", lambda _settings: None)
    monkeypatch.setattr(quiet, "locked", lambda *_: nullcontext())

    @contextmanager
    def connected(droplet):
        if droplet.host.startswith("spare"):
            raise Unreachable("no route to host")
        yield "a session"

    monkeypatch.setattr(quiet, "connected", connected)
    refused = pytest.raises(
        Unreachable, match=r"no route.*nothing was removed; if it is gone for good: --without spare"
    )
    with refused, quiet.exclusive_registry_access(Settings(), (), "tidying", 0):
        pytest.fail("it went on")
    with quiet.exclusive_registry_access(Settings(), ("spare",), "tidying", 0) as places:
        assert places == [("a session", "/opt/slipway")]
