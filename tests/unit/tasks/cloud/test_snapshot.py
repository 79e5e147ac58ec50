"""A run goes on with the snapshot that it made itself, and with no other."""

import logging

import pytest

from blocks.errors import ApiFailed
from flows.core.cloud.snapshots import OURS, SNAPSHOT
from flows.tasks.cloud import droplets
from tests.support import PATIENCE
from tests.support.digitalocean_in_process import add_droplet, standin

pytestmark = pytest.mark.unit
NAME, LATER = "slipway-shop-v1-20260101000000", "slipway-shop-v1-20990101000000"


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setattr(droplets, "get_run_logger", lambda: logging.getLogger("test"))
    with standin(tmp_path) as lab:
        yield lab


def test_another_runs_snapshot_is_neither_taken_nor_tagged(lab):
    id = add_droplet(lab.cloud, "green")
    for name in (LATER, "slipway-shop-v0-20200101000000"):
        lab.client.droplets.act(id, "snapshot", PATIENCE, name=name)
    made = droplets.take_snapshot.fn(lab.client, lab.client.droplets.get(id), NAME, False, ["mine"])
    assert made.name == NAME
    assert {s.name: set(s.tags) for s in lab.client.snapshots.all() if s.tags} == {NAME: {OURS, SNAPSHOT, "mine"}}


def test_a_snapshot_that_is_not_there_is_an_error_and_no_other_is_taken_for_it(lab, monkeypatch):
    id = add_droplet(lab.cloud, "green")
    lab.client.droplets.act(id, "snapshot", PATIENCE, name=LATER)
    monkeypatch.setattr(droplets, "appeared", lambda look: look())
    act = lab.client.droplets.act
    monkeypatch.setattr(lab.client.droplets, "act", lambda *given, **more: act(*given, **{**more, "name": "other"}))
    with pytest.raises(ApiFailed, match=f"{NAME} of green is finished, and there are 0 of that name"):
        droplets.take_snapshot.fn(lab.client, lab.client.droplets.get(id), NAME, False, ())
    assert [s.name for s in lab.client.snapshots.all() if s.tags] == []


def test_of_two_of_one_name_none_is_taken(lab):
    id = add_droplet(lab.cloud, "green")
    lab.client.droplets.act(id, "snapshot", PATIENCE, name=NAME)
    with pytest.raises(ApiFailed, match="there are 2 of that name"):
        droplets.take_snapshot.fn(lab.client, lab.client.droplets.get(id), NAME, False, ())
