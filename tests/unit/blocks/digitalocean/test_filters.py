"""What an API that does not honour its filters answers is filtered again on this side, before anything relies on it."""

import pytest

from blocks.digitalocean.models import NewDroplet
from blocks.digitalocean.transport import Transport
from blocks.errors import ApiFailed, NotAtDigitalOcean
from tests.support.digitalocean_in_process import add_droplet, add_record, standin

pytestmark = pytest.mark.unit


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """The stand-in, with every list whole whatever is asked for."""
    pages = Transport.pages
    monkeypatch.setattr(Transport, "pages", lambda self, path, key, scope, **_query: pages(self, path, key, scope))
    with standin(tmp_path) as lab:
        yield lab


def test_droplets_have_exactly_the_name_and_the_tag_that_were_asked_for(lab):
    id = add_droplet(lab.cloud, "trial", tags=("ours",))
    for name in ("Trial", "trial-2", "production"):
        add_droplet(lab.cloud, name)
    assert [one.id for one in lab.client.droplets.all(name="trial")] == [id]
    assert [one.id for one in lab.client.droplets.all(tag="ours")] == [id]
    assert lab.client.droplets.named("trial").id == id
    assert len(lab.client.droplets.all()) == 4


def test_the_only_droplet_there_is_is_not_taken_for_the_one_that_was_named(lab):
    add_droplet(lab.cloud, "Rehearsal", tags=("ours",))
    assert lab.client.droplets.all(name="rehearsal") == []
    with pytest.raises(NotAtDigitalOcean, match="no droplet named rehearsal"):
        lab.client.droplets.named("rehearsal")
    made = lab.client.droplets.create(NewDroplet("rehearsal", "nyc3", "s-1vcpu-1gb", "debian-13-x64", tags=("ours",)))
    assert made.name == "rehearsal"


@pytest.mark.parametrize("change", [{"name": "production"}, {"tags": ["other"]}])
def test_a_droplet_that_is_another_one_by_now_is_not_removed(lab, change):
    id = add_droplet(lab.cloud, "trial", tags=("ours",))
    planned = lab.client.droplets.named("trial")
    lab.cloud.droplets[id].update(change)
    with pytest.raises(
        ApiFailed, match=r"was to be removed as trial with the tag ours, and is .* It was left as it is"
    ):
        lab.client.droplets.remove(planned, "ours")
    assert list(lab.cloud.droplets) == [id]


@pytest.mark.parametrize(("asked", "found"), [("app.agents.lab", 1), ("APP.agents.lab.", 1), ("agents.lab", 2)])
def test_records_have_exactly_the_name_and_the_type_that_were_asked_for(lab, asked, found):
    ids = [add_record(lab.cloud, "agents.lab", name, "192.0.2.1") for name in ("app", "@", "app2", "my.app")]
    add_record(lab.cloud, "agents.lab", "app", "192.0.2.2")
    lab.cloud.domains["agents.lab"][-1]["type"] = "AAAA"
    assert lab.client.domains.record("agents.lab", asked).id == ids[found - 1]


def test_snapshots_are_those_of_droplets(lab):
    id = add_droplet(lab.cloud, "green")
    for name in ("first", "second"):
        lab.client.droplets.act(id, "snapshot", 10, name=name)
    next(iter(lab.cloud.snapshots.values()))["resource_type"] = "volume"
    assert [one.name for one in lab.client.snapshots.all()] == ["second"]


def test_a_snapshot_that_is_another_one_by_now_is_not_removed(lab):
    lab.client.droplets.act(add_droplet(lab.cloud, "green"), "snapshot", 10, name="planned")
    [planned] = lab.client.snapshots.all()
    lab.cloud.snapshots[planned.id]["name"] = "a person's"
    with pytest.raises(ApiFailed, match=r"was to be removed as planned, and is a person's. It was left as it is"):
        lab.client.snapshots.remove(planned.id, planned.name)
    assert list(lab.cloud.snapshots) == [planned.id]
