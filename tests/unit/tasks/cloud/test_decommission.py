"""Which droplet `decommission` would remove: the one of exactly that name that provision made, and no other."""

from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest

from flows import decommission as flow
from flows.core.cloud.snapshots import PROVISIONED
from flows.core.errors import CannotDecommission
from flows.settings import Settings
from tests.support.digitalocean_in_process import add_droplet, standin

pytestmark = pytest.mark.unit


@pytest.fixture
def lab(tmp_path):
    with standin(tmp_path) as lab:
        yield lab


def test_one_whose_name_differs_in_case_alone_is_another_one(lab, monkeypatch):
    every = lab.client.droplets._api.pages
    monkeypatch.setattr(lab.client.droplets._api, "pages", lambda path, key, scope, **_: every(path, key, scope))
    add_droplet(lab.cloud, "Trial", tags=(PROVISIONED,))
    assert flow._found(lab.client, "trial", Settings()) is None
    id = add_droplet(lab.cloud, "trial", tags=(PROVISIONED,))
    assert flow._found(lab.client, "trial", Settings()).id == id


def test_of_two_with_one_name_none_is_removed(lab):
    ids = [add_droplet(lab.cloud, "trial", tags=(PROVISIONED,)) for _ in range(2)]
    with pytest.raises(CannotDecommission, match=rf"2 droplets are named trial: {ids[0]} .*none was removed"):
        flow._found(lab.client, "trial", Settings())


def test_what_provision_did_not_make_is_refused(lab):
    add_droplet(lab.cloud, "trial", tags=("slipway",))
    with pytest.raises(CannotDecommission, match="Slipway did not make it"):
        flow._found(lab.client, "trial", Settings())


def test_where_traffic_goes_is_asked_again_after_the_answer(lab, monkeypatch):
    id = add_droplet(lab.cloud, "trial", tags=(PROVISIONED,))
    active = ["blue"]

    @contextmanager
    def open_switch(_settings):
        yield SimpleNamespace(read=lambda: SimpleNamespace(active=tuple(active)))

    monkeypatch.setenv("SLIPWAY_SWITCH", "edge")
    monkeypatch.setenv("SLIPWAY_GREEN", '["trial"]')
    monkeypatch.setattr(flow, "open_switch", open_switch)
    monkeypatch.setattr(flow, "load_account", lambda _: SimpleNamespace(client=lambda: nullcontext(lab.client)))
    monkeypatch.setattr(flow, "ask_for_approval", lambda *_: active.append("green"))
    monkeypatch.setattr(flow, "remove_droplet", lambda *_: pytest.fail("it was removed"))
    with pytest.raises(CannotDecommission, match="droplet trial is green, which traffic reaches"):
        flow.decommission.fn("trial")
    assert list(lab.cloud.droplets) == [id]
