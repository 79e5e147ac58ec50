"""The client against the stand-in: what is done to droplets, what moves traffic, and the registry."""

import threading

import pytest

from blocks.digitalocean.models import NewDroplet
from blocks.errors import ActionFailed, ActionUnfinished, ApiFailed, NotAtDigitalOcean
from blocks.polling import until
from tests.support import PATIENCE, wait_until
from tests.support.digitalocean_in_process import (
    add_droplet,
    add_record,
    add_registry,
    exchanged,
    held,
    reserved_ips,
    standin,
)

pytestmark = pytest.mark.unit
ACT = {"method": "POST", "path": "/actions$"}


@pytest.fixture
def lab(tmp_path):
    with standin(tmp_path) as lab:
        yield lab


def fault(lab, act, match, **more):
    lab.cloud.faults = [{"match": match, "act": act, "times": 1, **more}]


def test_snapshots_are_made_awaited_and_removed(lab):
    id = add_droplet(lab.cloud, "green")
    action = lab.client.droplets.act(id, "snapshot", PATIENCE, name="first")
    assert action.status == "completed"
    [snapshot] = lab.client.snapshots.all()
    assert (snapshot.name, snapshot.droplet, snapshot.size) == ("first", str(id), 1.5)
    lab.client.tags.add("slipway", snapshot.id, "image")
    lab.client.tags.add("slipway", id)
    assert lab.client.snapshots.all()[0].tags == ("slipway",)
    lab.client.tags.take("slipway", id)
    assert lab.client.droplets.get(id).tags == ()
    made = lab.client.droplets.create(NewDroplet("copy", "nyc3", "s-1vcpu-1gb", int(snapshot.id)))
    assert made.image == snapshot.id
    assert lab.client.snapshots.remove(snapshot.id, snapshot.name) is True
    assert lab.client.snapshots.remove(snapshot.id, snapshot.name) is False


def test_an_action_whose_answer_is_lost_is_awaited_and_not_begun_twice(lab):
    id = add_droplet(lab.cloud, "green")
    fault(lab, "lose", ACT)
    with held(lab, lambda: len(exchanged(lab, "GET", "/actions")) > 1):
        assert lab.client.droplets.act(id, "snapshot", PATIENCE, name="first").status == "completed"
    assert len(lab.client.snapshots.all()) == 1


def test_an_action_that_is_under_way_is_awaited(lab):
    id = add_droplet(lab.cloud, "green")
    with held(lab, lambda: len(exchanged(lab, "GET", "/actions")) > 1):
        other = threading.Thread(target=lambda: lab.client.droplets.act(id, "snapshot", PATIENCE, name="first"))
        other.start()
        wait_until(lambda: lab.cloud.actions)
        assert lab.client.droplets.act(id, "snapshot", PATIENCE, name="second").status == "completed"
        other.join(PATIENCE)
    assert [s.name for s in lab.client.snapshots.all()] == ["first"]


def test_an_action_of_our_own_is_begun_when_another_one_is_over(lab):
    id = add_droplet(lab.cloud, "green")
    with held(lab, lambda: len(exchanged(lab, "GET", "/actions")) > 1):
        other = threading.Thread(target=lambda: lab.client.droplets.act(id, "snapshot", PATIENCE, name="theirs"))
        other.start()
        wait_until(lambda: lab.cloud.actions)
        assert lab.client.droplets.act(id, "snapshot", PATIENCE, anew=True, name="ours").status == "completed"
        other.join(PATIENCE)
    assert sorted(s.name for s in lab.client.snapshots.all()) == ["ours", "theirs"]


def test_an_action_that_fails_and_one_that_never_ends(lab):
    id = add_droplet(lab.cloud, "green")
    fault(lab, "error_action", ACT)
    with pytest.raises(ActionFailed, match="ended errored"):
        lab.client.droplets.act(id, "snapshot", PATIENCE, name="first")
    fault(lab, "stuck_action", ACT)
    with pytest.raises(ActionUnfinished, match="still in-progress after 1 s"):
        lab.client.droplets.act(id, "power_off", 0.5)
    assert lab.client.snapshots.all() == []


def test_firewalls_say_how_they_are_attached(lab):
    id = add_droplet(lab.cloud, "green", tags=("web",))
    lab.cloud.settings["firewalls"] = [{"id": "f1", "name": "by-tag", "tags": ["web"]},
                                       {"id": "f2", "name": "elsewhere", "droplet_ids": [1]}]  # fmt: skip
    [wall] = lab.client.droplets.firewalls(id)
    assert (wall.name, wall.tags, wall.droplets) == ("by-tag", ("web",), ())


def balancer(lab, **more):
    rule = {"entry_protocol": "http", "entry_port": 80, "target_protocol": "http", "target_port": 8000}
    body = {"name": "edge", "region": "nyc3", "forwarding_rules": [rule], **more}
    lab.client.api.send("POST", "/v2/load_balancers", "load_balancer:create", body)
    return lab.client.load_balancers.named("edge")


def test_a_balancer_lets_droplets_in_and_out(lab):
    green, blue = add_droplet(lab.cloud, "green"), add_droplet(lab.cloud, "blue")
    edge = balancer(lab, droplet_ids=[green])
    lab.client.load_balancers.add(edge.id, [blue])
    assert lab.client.load_balancers.get(edge.id).droplets == (green, blue)
    lab.client.load_balancers.remove(edge.id, [green])
    assert lab.client.load_balancers.get(edge.id).droplets == (blue,)
    assert lab.parts.balancers.log[-1] == ("serve", "edge", (blue,))
    with pytest.raises(NotAtDigitalOcean, match="no load balancer named other"):
        lab.client.load_balancers.named("other")


def test_a_balancer_by_tag_follows_the_tag_and_refuses_ids(lab):
    green = add_droplet(lab.cloud, "green", tags=("live",))
    edge = balancer(lab, tag="live")
    assert (edge.tag, edge.droplets) == ("live", (green,))
    with pytest.raises(ApiFailed, match="attached by tag"):
        lab.client.load_balancers.add(edge.id, [green])


def test_records_are_found_by_their_full_name_and_changed(lab):
    add_record(lab.cloud, "agents.lab", "app", "192.0.2.1")
    record = lab.client.domains.record("agents.lab", "app.agents.lab")
    assert lab.client.domains.change("agents.lab", record, ttl=30).ttl == 30
    assert lab.client.domains.change("agents.lab", record, data="192.0.2.2").data == "192.0.2.2"
    assert lab.client.domains.record("agents.lab", "app.agents.lab").ttl == 30
    with pytest.raises(ApiFailed, match="TTL must be at least 30"):
        lab.client.domains.change("agents.lab", record, ttl=5)
    with pytest.raises(NotAtDigitalOcean, match=r"has no A record for www.agents.lab"):
        lab.client.domains.record("agents.lab", "www.agents.lab")
    add_record(lab.cloud, "agents.lab", "app", "192.0.2.9")
    with pytest.raises(ApiFailed, match=r"has 2 A records for app.agents.lab"):
        lab.client.domains.record("agents.lab", "app.agents.lab")


@pytest.mark.parametrize("act", ["", "lose"])
def test_an_address_moves(lab, act):
    green, blue = add_droplet(lab.cloud, "green"), add_droplet(lab.cloud, "blue")
    reserved_ips.add(lab.cloud, "198.51.100.1", "nyc3")
    lab.client.reserved_ips.assign("198.51.100.1", green)
    if act:
        fault(lab, act, {"method": "POST", "path": "/v2/reserved_ips/.*/actions$"})
    lab.client.reserved_ips.assign("198.51.100.1", blue)
    assert lab.client.reserved_ips.get("198.51.100.1").droplet == blue
    assert lab.parts.addresses.log == [("move", "198.51.100.1", "lab-green"), ("move", "198.51.100.1", "lab-blue")]


def test_an_address_of_another_region_stays(lab):
    far = add_droplet(lab.cloud, "far", region="fra1")
    reserved_ips.add(lab.cloud, "198.51.100.1", "nyc3")
    with pytest.raises(ApiFailed, match="another region"):
        lab.client.reserved_ips.assign("198.51.100.1", far)
    fault(lab, "error_action", {"method": "POST", "path": "reserved_ips/.*/actions$"})
    near = add_droplet(lab.cloud, "near")
    with pytest.raises(ActionFailed, match="was to go to droplet"):
        lab.client.reserved_ips.assign("198.51.100.1", near)
    assert lab.client.reserved_ips.get("198.51.100.1").droplet is None


def test_a_registry_and_its_collection(lab):
    add_registry(lab.cloud, "team")
    assert [r.name for r in lab.client.registries.all()] == ["team"]
    assert lab.client.registries.subscription().tier == "professional"
    assert lab.client.registries.credentials("team", 600, write=True) == ("docr_1", "docr_1")
    assert lab.parts.registry.logins == [("team", 600, True)]
    assert lab.client.registries.repositories("team") == []
    assert lab.client.registries.tags("team", "none/such") == []
    assert lab.client.registries.collection("team") is None
    lab.parts.registry.writing = True
    fault(lab, "lose", {"method": "POST", "path": "garbage-collection$"})
    begun = lab.client.registries.collect("team")
    assert lab.client.registries.collect("team").uuid == begun.uuid
    lab.parts.registry.writing = False
    ended = until(lambda: lab.client.registries.collected("team", begun.uuid), lambda found: found.ended, 60, pause=0.1)
    assert (ended.status, ended.blobs_deleted, ended.freed) == ("succeeded", 2, 1000)
    with pytest.raises(NotAtDigitalOcean, match="registry not found"):
        lab.client.registries.get("other")
