"""A stack in DigitalOcean's registry: logins that expire, plans, what is kept, and what is really collected."""

import time

import httpx
import pytest

from tests.stacks.docr import NAME, STACK, open_docr_stack
from tests.support import wait_until
from tests.support.lab.cli import slipway, slipway_ok
from tests.support.lab.lab import DOCR, DOCR_TOKENS, lab_tls, prefect_api
from tests.support.lab.saved_blocks import saved

pytestmark = [pytest.mark.lab, pytest.mark.alone]


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with open_docr_stack(tmp_path_factory.mktemp("docr-app")) as stack:
        stack.cloud.settings(token_seconds=12)
        yield stack


@pytest.fixture(autouse=True)
def calm(stack):
    yield
    stack.cloud.calm()
    stack.cloud.settings(token_seconds=12)


def test_releases_are_published_deployed_kept_where_needed_and_collected(stack):
    for tag in ("one", "two", "three", "four"):
        said = stack.publish(tag)
        assert said.code == 0, said.all
    slipway_ok("deploy", *stack.here, "--tag", "one", **stack.settings)
    running = stack.droplet.digests()["web"]
    assert stack.tags() == ["four", "one", "three", "two"]

    said = slipway_ok("registry", "retention", "--dry-run", **stack.settings)
    assert "Nothing was changed" in said.out
    assert stack.tags() == ["four", "one", "three", "two"]
    slipway_ok("registry", "retention", **stack.settings)
    assert stack.tags() == ["four", "one"]  # the newest, and what a droplet runs
    assert stack.tags("docr-app-release") == ["four", "latest", "one"]
    assert len(stack.manifests()) == 4

    said = slipway_ok("registry", "gc", **stack.settings)
    assert "MB are free" in said.out
    assert "Nothing could be pushed for" in said.out
    assert len(stack.manifests()) == 2
    stack.droplet.remove(STACK)  # with its images: they must come from the registry again
    slipway_ok("deploy", *stack.here, "--tag", "one", **stack.settings)
    assert stack.droplet.digests()["web"] == running


def test_a_droplet_is_given_a_login_that_may_only_read(stack):
    user, password = stack.registry.block.login(write=False)
    with httpx.Client(verify=lab_tls(), trust_env=False) as https:
        asked = {"service": "any", "scope": f"repository:{NAME}/docr-app-web:pull,push"}
        token = https.get(DOCR_TOKENS, params=asked, auth=(user, password)).json()["token"]
        upload = https.post(
            f"https://{DOCR}/v2/{NAME}/docr-app-web/blobs/uploads/", headers={"Authorization": f"Bearer {token}"}
        )
    assert upload.status_code == 401
    assert user != stack.registry.block.login(write=True)[0]


def test_a_login_that_expired_is_renewed(stack):
    fresh = stack.registry.block.model_copy()
    fresh._logins = {True: (time.monotonic() + 3000, ("docr_gone", "docr_gone"))}
    with fresh.client() as client:
        client.check()
    assert fresh.login(write=True)[0] != "docr_gone"


def test_a_plan_without_room_is_refused_before_the_build(stack):
    stack.cloud.settings(tier="starter")
    said = stack.publish("five")
    assert said.code == 2
    assert "RegistryFull: plan starter includes 1 repositories" in said.err
    assert "--single-repository" in said.err
    assert "five" not in stack.tags()


def test_a_registry_that_is_full_is_refused_before_the_build(stack):
    stack.publish("six")
    stack.cloud.settings(plan={"included_storage_bytes": 1, "allow_storage_overage": False})
    said = stack.publish("seven")
    stack.cloud.settings(plan={})
    assert (said.code, "GB are used. Nothing was built" in said.err) == (2, True)
    assert "seven" not in stack.tags()


def test_a_push_waits_for_a_collection_that_is_under_way(stack):
    stack.cloud.settings(action_seconds=2.0)
    with stack.cloud.client() as client:
        collection = client.registries.collect(NAME)
        said = stack.publish("eight")
        assert said.code == 0, said.all
        ended = client.registries.collected(NAME, collection.uuid)
    assert ended.status == "succeeded"
    assert "eight" in stack.tags()


def test_no_collection_while_something_is_pushed(stack):
    with prefect_api() as api:
        flow = api.post("/flows/", json={"name": "build-push"}).json()["id"]
        run = api.post("/flow_runs/", json={"flow_id": flow, "name": "somebody", "state": {"type": "RUNNING"}}).json()
        try:
            said = slipway("registry", "gc", **stack.settings)
        finally:
            wait_until(lambda: api.delete(f"/flow_runs/{run['id']}").status_code in (204, 404), within=60)
    assert (said.code, "ReleaseUnderWay: somebody is under way" in said.err) == (2, True)


@pytest.mark.parametrize(("scopes", "missing"), [(["account:read"], "registry:read"), ([], "account:read")])
def test_a_token_without_a_scope_is_told_which_one(stack, scopes, missing):
    token, _ = stack.cloud.new_token(scopes=scopes)
    weak = stack.registry.block.model_copy(update={"account": stack.cloud.account(token)})
    with saved(docr_weak=weak):
        said = stack.publish("nine", SLIPWAY_REGISTRY="docr-weak")
    assert (said.code, missing in said.err, token in said.all) == (2, True, False)
    assert "nine" not in stack.tags()


def test_a_registry_of_another_name_is_refused_with_the_names_there_are(stack):
    other = stack.registry.block.model_copy(update={"registry_name": "other", "namespace": "other"})
    with saved(docr_other=other):
        said = stack.publish("ten", SLIPWAY_REGISTRY="docr-other")
    assert (said.code, f"The account has: {NAME}" in said.err) == (2, True)


def test_a_collection_whose_answer_is_lost_is_not_begun_twice(stack):
    stack.cloud.faults({"match": {"method": "POST", "path": "garbage-collection$"}, "act": "lose", "times": 1})
    slipway_ok("registry", "gc", **stack.settings)
    with stack.cloud.client() as client:
        assert client.registries.collection(NAME) is None
