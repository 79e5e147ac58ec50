"""DigitalOcean's registry as a block: logins that are asked for when needed, room in the plan, a collection awaited."""

import threading
import time

import pytest
from pydantic import ValidationError

from blocks import DigitalOceanAccount, DocrRegistry
from blocks.digitalocean.registry_models import Subscription
from blocks.errors import ActionUnfinished, NotAtDigitalOcean, RegistryFull
from blocks.registry.docr import refuse_full
from tests.support.digitalocean_in_process import add_registry, standin

pytestmark = pytest.mark.unit
GB = 1 << 30


@pytest.fixture
def lab(tmp_path):
    with standin(tmp_path) as lab:
        add_registry(lab.cloud, "team")
        account = DigitalOceanAccount(token=lab.token, api=lab.url)
        lab.block = DocrRegistry(registry_url="127.0.0.1:9", account=account, registry_name="team")
        yield lab


def test_what_it_holds_lies_below_its_name(lab):
    assert (lab.block.host, lab.block.namespace, lab.block.single_repository) == ("127.0.0.1:9", "team", "")
    assert lab.token not in repr(lab.block)


def test_one_repository_for_all_needs_a_name(lab):
    with pytest.raises(ValidationError, match="needs `repository`"):
        DocrRegistry(account=lab.block.account, registry_name="team", layout="single-repository")


def test_a_login_is_asked_for_once_for_reading_and_once_for_writing(lab):
    told = []
    lab.block.on_new_password(told.append)
    reads, writes = lab.block.login(write=False), lab.block.login(write=True)
    assert (lab.block.login(write=False), lab.block.login(write=True)) == (reads, writes)
    assert lab.parts.registry.logins == [("team", 600, False), ("team", 3600, True)]
    assert told == [reads[1], writes[1]]
    assert reads != writes


def test_a_login_that_is_about_to_expire_or_was_refused_is_asked_for_anew(lab):
    first = lab.block.login(write=True)
    lab.block._logins[True] = (time.monotonic() + 60, first)
    second = lab.block.login(write=True)
    third = lab.block.renew(write=True)
    assert len({first, second, third}) == 3


def test_a_registry_that_is_not_there_is_told_with_those_that_are(lab):
    other = lab.block.model_copy(update={"registry_name": "other"})
    with pytest.raises(NotAtDigitalOcean, match="The account has: team"):
        other.check_room(["other/web"])


def test_room_is_looked_for_in_the_plan_of_the_account(lab):
    lab.block.check_room([f"team/{n}" for n in range(20)])
    lab.cloud.settings["tier"] = "starter"
    lab.block.check_room(["team/web"])
    with pytest.raises(RegistryFull, match="starter includes 1 repositories; 0 are there and the release needs 2"):
        lab.block.check_room(["team/web", "team/db"])


def plan(repositories=5, storage=5 * GB, overage=True):
    return Subscription("basic", repositories, storage, overage, 5.0)


def test_repositories_that_are_there_are_not_counted_twice():
    refuse_full(plan(), ["a", "b", "c"], ["a", "b", "c", "d", "e"], 0)
    with pytest.raises(RegistryFull, match="3 are there and the release needs 3 more"):
        refuse_full(plan(), ["a", "b", "c"], ["c", "d", "e", "f"], 0)
    refuse_full(plan(repositories=0), ["a"] * 99, ["b"], 0)


def test_storage_that_is_used_up_counts_where_more_is_not_billed():
    refuse_full(plan(overage=True), [], ["a"], 9 * GB)
    with pytest.raises(RegistryFull, match=r"includes 5.0 GB, and 5.0 GB are used. Nothing was built"):
        refuse_full(plan(overage=False), [], ["a"], 5 * GB)


def test_a_collection_is_awaited_with_progress_and_an_end(lab):
    told = []
    collection = {
        "uuid": "4d9d8375-3c56-4925-a3e7-eb137fed17e9", "registry_name": "team", "status": "scanning manifests",
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "blobs_deleted": 0,
        "freed_bytes": 0,
    }  # fmt: skip
    lab.cloud.collections["team"] = [collection]
    with pytest.raises(ActionUnfinished, match="garbage collection of team is still scanning manifests"):
        lab.block.wait_writable(0.5, told.append)
    assert "scanning manifests" in told[0]
    threading.Timer(0.5, lambda: collection.update(status="succeeded")).start()
    assert lab.block.wait_writable(60, told.append) > 0
    assert lab.block.wait_writable(60, told.append) == 0
