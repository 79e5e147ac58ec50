"""What a rehearsal left is removed once its run is over, and never stands in the way of a droplet."""

import logging
from contextlib import contextmanager

import pytest

from blocks import DigitalOceanAccount
from flows.core.cloud.snapshots import PROVISIONED, REHEARSAL, SNAPSHOT
from flows.core.errors import DropletBusy
from flows.settings import Settings
from flows.tasks.cloud import rehearsal
from tests.support.digitalocean_in_process import add_droplet, standin

pytestmark = pytest.mark.unit
RUN = "6a9bd0a4-5c5c-4d9e-8d0e-000000000001"
OF_A_RUN = tuple(rehearsal.rehearsal_tags(RUN, "green"))
TAGS = (PROVISIONED, *OF_A_RUN)


@pytest.fixture
def lab(tmp_path, monkeypatch):
    with standin(tmp_path) as lab:
        account = DigitalOceanAccount(token=lab.token, api=lab.url)
        monkeypatch.setattr(rehearsal, "find_account", lambda _: account)
        monkeypatch.setattr(rehearsal, "find_droplet", lambda name: name if name == "green" else None)
        lab.held = False

        @contextmanager
        def rehearsal_lock(like):
            assert like == "green"
            if lab.held:
                raise DropletBusy("a rehearsal is under way")
            yield

        monkeypatch.setattr(rehearsal, "rehearsal_lock", rehearsal_lock)
        yield lab


def names(lab):
    return [droplet["name"] for droplet in lab.cloud.droplets.values()]


def snapshot(lab, *tags):
    id = add_droplet(lab.cloud, "green")
    lab.client.droplets.act(id, "snapshot", 10, name="slipway-shop-v1-20260101000000")
    for tag in tags:
        lab.client.tags.add(tag, lab.client.snapshots.all()[0].id, "image")


def test_a_run_that_nobody_holds_a_lock_for_is_over(lab):
    add_droplet(lab.cloud, "rehearsal", tags=TAGS)
    snapshot(lab, SNAPSHOT, *OF_A_RUN)
    gone = rehearsal.remove_left(Settings())
    assert [words.split()[0] for words in gone] == ["droplet", "snapshot"]
    assert (names(lab), lab.client.snapshots.all()) == (["green"], [])
    assert rehearsal.remove_left(Settings()) == []


def test_a_run_that_holds_its_lock_is_left_alone_with_its_snapshot(lab):
    lab.held = True
    add_droplet(lab.cloud, "rehearsal", tags=TAGS)
    snapshot(lab, SNAPSHOT, *OF_A_RUN)
    assert rehearsal.remove_left(Settings()) == []
    assert (names(lab), len(lab.client.snapshots.all())) == (["rehearsal", "green"], 1)
    assert len(rehearsal.rehearsal_leftovers(Settings())) == 2
    assert len(rehearsal.remove_left(Settings(), mine=RUN)) == 2  # but its own run may


def test_the_snapshot_of_a_run_under_way_is_left_alone_while_its_droplet_is_not_made_yet(lab):
    lab.held = True
    snapshot(lab, SNAPSHOT, *OF_A_RUN)
    assert rehearsal.remove_left(Settings()) == []
    assert len(lab.client.snapshots.all()) == 1


def test_what_says_that_it_is_a_rehearsals_is_tagged_last():
    assert OF_A_RUN[-1] == REHEARSAL


def test_an_api_that_does_not_honour_its_filter_does_not_take_what_provision_made(lab, monkeypatch):
    every = lab.client.droplets.all
    monkeypatch.setattr("blocks.digitalocean.droplets.Droplets.all", lambda _self, **_filter: every())
    add_droplet(lab.cloud, "production", tags=(PROVISIONED, "slipway"))
    add_droplet(lab.cloud, "rehearsal", tags=TAGS)
    assert len(rehearsal.remove_left(Settings())) == 1
    assert names(lab) == ["production"]


def test_where_more_than_a_rehearsal_makes_say_that_they_are_its_own_none_is_removed(lab, caplog):
    add_droplet(lab.cloud, "rehearsal", tags=TAGS)
    add_droplet(lab.cloud, "production", tags=TAGS)
    with caplog.at_level(logging.WARNING, "slipway.hooks"):
        assert rehearsal.remove_left(Settings(), mine=RUN) == []
    assert names(lab) == ["rehearsal", "production"]
    assert "say all that the rehearsal" in caplog.text


@pytest.mark.parametrize(
    "tags",
    [
        (REHEARSAL,),
        (REHEARSAL, PROVISIONED),
        (REHEARSAL, f"slipway-run-{RUN}"),
        (PROVISIONED, "slipway-like-green"),
        (),
    ],
)
def test_what_a_rehearsal_did_not_make_is_never_removed(lab, tags):
    add_droplet(lab.cloud, "other", tags=tags)
    snapshot(lab, *tags)
    assert rehearsal.remove_left(Settings()) == []
    assert (names(lab), len(lab.client.snapshots.all())) == (["other", "green"], 1)


def test_an_account_that_cannot_be_asked_stands_in_nobodys_way(lab, caplog):
    lab.cloud.tokens.clear()
    with caplog.at_level(logging.WARNING, "slipway.hooks"):
        rehearsal.remove_left_best_effort(Settings())
    assert "whether a rehearsal left anything is not known: DigitalOcean: GET /v2/droplets: 401" in caplog.text


def test_without_an_account_nothing_is_asked(monkeypatch):
    monkeypatch.setattr(rehearsal, "find_account", lambda _: None)
    assert rehearsal.remove_left(Settings()) == rehearsal.rehearsal_leftovers(Settings()) == []
