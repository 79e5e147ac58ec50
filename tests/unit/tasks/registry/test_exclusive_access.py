"""Which droplets are asked and locked while a registry is cleaned."""

from contextlib import contextmanager, nullcontext

import pytest

from blocks import Droplet
from blocks.errors import Unreachable
from flows.core.errors import BlockMissing
from flows.settings import Settings
from flows.tasks.registry import exclusive_access

pytestmark = pytest.mark.unit


@pytest.fixture
def blocks(monkeypatch, tmp_path):
    """Droplet blocks by name."""
    saved = {name: Droplet(host=f"{name}.example.com", private_key="k") for name in ("green", "spare")}

    def load(name):
        if name not in saved:
            raise BlockMissing(name)
        return saved[name]

    monkeypatch.setattr(exclusive_access, "saved_names", lambda _kind: sorted(saved))
    monkeypatch.setattr(exclusive_access, "load_droplet", load)
    for name in ("SLIPWAY_DROPLETS", "SLIPWAY_GREEN", "SLIPWAY_BLUE", "SLIPWAY_HOME"):
        monkeypatch.delenv(name, raising=False)
    return saved


def hosts(*without, **settings):
    return [droplet.host.partition(".")[0] for droplet in exclusive_access.all_droplets(Settings(**settings), without)]


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
    assert sorted(d.directory for d in exclusive_access.all_droplets(Settings(), ()))[0] == "/opt/other"


def test_a_droplet_that_cannot_be_asked_may_need_anything(blocks, monkeypatch):
    monkeypatch.setattr(exclusive_access, "refuse_while_pushing", lambda _settings: None)
    monkeypatch.setattr(exclusive_access, "locked", lambda *_: nullcontext())

    @contextmanager
    def connected(droplet):
        if droplet.host.startswith("spare"):
            raise Unreachable("no route to host")
        yield "a session"

    monkeypatch.setattr(exclusive_access, "connected", connected)
    refused = pytest.raises(
        Unreachable, match=r"no route.*nothing was removed; if it is gone for good: --without spare"
    )
    with refused, exclusive_access.exclusive_registry_access(Settings(), (), "tidying", 0):
        pytest.fail("it went on")
    with exclusive_access.exclusive_registry_access(Settings(), ("spare",), "tidying", 0) as places:
        assert places == [("a session", "/opt/slipway")]
