"""A stack in DigitalOcean's registry: logins that expire, plans, what is kept, and what is really collected."""

import os
import time

import httpx
import pytest

from tests.stacks.docr import HOST, NAME, open_docr_stack
from tests.support.lab.cli import slipway, slipway_ok
from tests.support.lab.lab import port
from tests.support.lab.saved_blocks import saved

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def booth(tmp_path_factory):
    with open_docr_stack(tmp_path_factory.mktemp("booth")) as booth:
        booth.cloud.settings(token_seconds=12)
        yield booth


@pytest.fixture(autouse=True)
def calm(booth):
    yield
    booth.cloud.calm()
    booth.cloud.settings(token_seconds=12)


def test_releases_are_published_deployed_kept_where_needed_and_collected(booth):
    for tag in ("one", "two", "three", "four"):
        said = booth.publish(tag)
        assert said.code == 0, said.all
    slipway_ok("deploy", *booth.here, "--tag", "one", **booth.settings)
    running = booth.on.digests()["till"]
    assert booth.tags() == ["four", "one", "three", "two"]

    said = slipway_ok("registry", "retention", "--dry-run", **booth.settings)
    assert "Nothing was changed" in said.out
    assert booth.tags() == ["four", "one", "three", "two"]
    slipway_ok("registry", "retention", **booth.settings)
    assert booth.tags() == ["four", "one"]  # the newest, and what a droplet runs
    assert booth.tags("booth-release") == ["four", "latest", "one"]
    assert len(booth.manifests()) == 4

    said = slipway_ok("registry", "gc", **booth.settings)
    assert "MB are free" in said.out
    assert "Nothing could be pushed for" in said.out
    assert len(booth.manifests()) == 2
    booth.on.remove("booth")  # with its images: they must come from the registry again
    slipway_ok("deploy", *booth.here, "--tag", "one", **booth.settings)
    assert booth.on.digests()["till"] == running


def test_a_droplet_is_given_a_login_that_may_only_read(booth):
    user, password = booth.block.login(write=False)
    with httpx.Client(base_url=f"http://127.0.0.1:{port('DIGITALOCEAN', 8090)}", trust_env=False) as http:
        asked = {"service": "any", "scope": f"repository:{NAME}/booth-till:pull,push"}
        token = http.get("/_registry/token", params=asked, auth=(user, password)).json()["token"]
    upload = httpx.post(
        f"http://{HOST}/v2/{NAME}/booth-till/blobs/uploads/", headers={"Authorization": f"Bearer {token}"}
    )
    assert upload.status_code == 401
    assert user != booth.block.login(write=True)[0]


def test_a_login_that_expired_is_renewed(booth):
    fresh = booth.block.model_copy()
    fresh._logins = {True: (time.monotonic() + 3000, ("docr_gone", "docr_gone"))}
    with fresh.client() as client:
        client.check()
    assert fresh.login(write=True)[0] != "docr_gone"


def test_a_plan_without_room_is_refused_before_the_build(booth):
    booth.cloud.settings(tier="starter")
    said = booth.publish("five")
    assert said.code == 2
    assert "RegistryFull: plan starter includes 1 repositories" in said.err
    assert "--single-repository" in said.err
    assert "five" not in booth.tags()


def test_a_registry_that_is_full_is_refused_before_the_build(booth):
    booth.publish("six")
    booth.cloud.settings(plan={"included_storage_bytes": 1, "allow_storage_overage": False})
    said = booth.publish("seven")
    booth.cloud.settings(plan={})
    assert (said.code, "GB are used. Nothing was built" in said.err) == (2, True)
    assert "seven" not in booth.tags()


def test_a_push_waits_for_a_collection_that_is_under_way(booth):
    booth.cloud.settings(action_seconds=2.0)
    with booth.cloud.client() as client:
        collection = client.registries.collect(NAME)
        said = booth.publish("eight")
        assert said.code == 0, said.all
        ended = client.registries.collected(NAME, collection.uuid)
    assert ended.status == "succeeded"
    assert "eight" in booth.tags()


def test_no_collection_while_something_is_pushed(booth):
    api = os.environ["PREFECT_API_URL"]
    flow = httpx.post(f"{api}/flows/", json={"name": "build-push"}).json()["id"]
    run = httpx.post(
        f"{api}/flow_runs/", json={"flow_id": flow, "name": "somebody", "state": {"type": "RUNNING"}}
    ).json()
    try:
        said = slipway("registry", "gc", **booth.settings)
    finally:
        httpx.delete(f"{api}/flow_runs/{run['id']}")
    assert (said.code, "ReleaseUnderWay: somebody is under way" in said.err) == (2, True)


@pytest.mark.parametrize(("scopes", "missing"), [(["account:read"], "registry:read"), ([], "account:read")])
def test_a_token_without_a_scope_is_told_which_one(booth, scopes, missing):
    token, _ = booth.cloud.new_token(scopes=scopes)
    weak = booth.block.model_copy(update={"account": booth.cloud.account(token)})
    with saved(booth_weak=weak):
        said = booth.publish("nine", SLIPWAY_REGISTRY="booth-weak")
    assert (said.code, missing in said.err, token in said.all) == (2, True, False)
    assert "nine" not in booth.tags()


def test_a_registry_of_another_name_is_refused_with_the_names_there_are(booth):
    other = booth.block.model_copy(update={"registry_name": "other", "namespace": "other"})
    with saved(booth_other=other):
        said = booth.publish("ten", SLIPWAY_REGISTRY="booth-other")
    assert (said.code, f"The account has: {NAME}" in said.err) == (2, True)


def test_a_collection_whose_answer_is_lost_is_not_begun_twice(booth):
    booth.cloud.faults({"match": {"method": "POST", "path": "garbage-collection$"}, "act": "lose", "times": 1})
    slipway_ok("registry", "gc", **booth.settings)
    with booth.cloud.client() as client:
        assert client.registries.collection(NAME) is None
