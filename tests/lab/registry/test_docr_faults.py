"""What goes wrong with DigitalOcean's registry while it is used, each with what stands there afterwards."""

import threading
import time

import pytest

from tests.stacks.docr import NAME, STACK, open_docr_stack
from tests.support import wait_until
from tests.support.lab.cli import slipway, slipway_ok
from tests.support.lab.lab import DOCR
from tests.support.lab.saved_blocks import saved

pytestmark = [pytest.mark.lab, pytest.mark.alone]
OTHER = "slipway-other"


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with open_docr_stack(tmp_path_factory.mktemp("docr-app")) as stack:
        stack.publish("base")  # the layers that all share take longer than the tokens of these tests live
        yield stack


@pytest.fixture(autouse=True)
def calm(stack):
    stack.cloud.settings(token_seconds=3)
    yield
    stack.cloud.calm()


@pytest.fixture
def before_push(monkeypatch):
    """Do something once, after everything was checked and right before an image is pushed."""
    from blocks import DocrRegistry  # noqa: PLC0415 — after the environment is set

    happens = []
    login = DocrRegistry.docker_config

    def docker_config(block):
        if happens:
            happens.pop()(block)
        return login(block)

    monkeypatch.setattr(DocrRegistry, "docker_config", docker_config)
    return happens.append


def expire(*, write):
    """Make a block use a login that is not good any more."""
    word = "docr_v1_gone"
    return lambda block: block._logins.update({write: (time.monotonic() + 3000, (word, word))})


def test_a_login_that_expires_during_a_push_is_renewed_and_told(stack, before_push):
    before_push(expire(write=True))
    said = stack.publish("one")
    assert said.code == 0, said.all
    assert f"the login at {DOCR} was refused: it has expired" in said.all
    assert "docr_v1_gone" not in said.all
    assert "one" in stack.tags()


def test_a_login_that_expired_when_a_droplet_pulls_is_renewed_and_told(stack, monkeypatch):
    from blocks import DocrRegistry  # noqa: PLC0415 — after the environment is set

    real, old = DocrRegistry.login, [expire(write=False)]

    def login(block, *, write):
        if old and not write:
            old.pop()(block)
        return real(block, write=write)

    stack.publish("one")
    monkeypatch.setattr(DocrRegistry, "login", login)
    said = slipway_ok("deploy", *stack.here, "--tag", "one", **stack.settings)
    assert old == []
    assert "It has expired, or was revoked; trying a new one" in said.all
    assert "docr_v1_gone" not in said.all
    assert set(stack.droplet.digests()) == {"web"}


def test_a_collection_that_begins_during_a_push_is_awaited_and_the_push_made_again(stack, before_push):
    begun = []

    def collect(_block):
        with stack.cloud.client() as client:
            begun.append(client.registries.collect(NAME))

    before_push(collect)
    said = stack.publish("two")
    assert said.code == 0, said.all
    assert f"waiting for garbage collection of {NAME}" in said.all
    with stack.cloud.client() as client:
        assert client.registries.collected(NAME, begun[0].uuid).status == "succeeded"
    assert "two" in stack.tags()
    assert "two" in stack.tags("docr-app-release")


def test_a_collection_that_does_not_end_is_not_waited_for_for_ever(stack):
    stack.cloud.settings(collection_seconds=6)
    with stack.cloud.client() as client:
        collection = client.registries.collect(NAME)
        said = stack.publish("three", SLIPWAY_COLLECTION_TIMEOUT="1")
        assert (said.code, f"garbage collection of {NAME} is still" in said.err) == (1, True)
        assert "three" not in stack.tags()
        wait_until(lambda: client.registries.collected(NAME, collection.uuid).ended, pause=0.2)


def test_a_token_that_is_revoked_during_a_push_leaves_no_release(stack, before_push):
    token, id = stack.cloud.new_token()
    block = stack.registry.block.model_copy(update={"account": stack.cloud.account(token)})
    before_push(lambda _block: stack.cloud.revoke(id))
    with saved(docr_revoked=block):
        said = stack.publish("four", SLIPWAY_REGISTRY="docr-revoked")
    assert (said.code, "The token is mistyped, expired or revoked: slipway account set" in said.err) == (2, True)
    assert token not in said.all
    assert "four" not in stack.tags("docr-app-release")


def test_a_droplet_that_cannot_be_asked_keeps_everything_until_it_is_said_to_be_gone(stack):
    from blocks import Droplet  # noqa: PLC0415 — after the environment is set

    stack.publish("five")
    stack.publish("six")
    before = stack.tags()
    with saved(docr_far=Droplet.load("green").model_copy(update={"host": "127.0.0.1", "port": 9})):
        for command in ("retention", "gc"):
            said = slipway("registry", command, **stack.settings)
            assert (said.code, "gone for good: --without docr-far" in said.err) == (2, True), said.all
        assert stack.tags() == before
        said = slipway_ok("registry", "retention", "--dry-run", "--without", "docr-far", **stack.settings)
    assert "goes" in said.out


def test_what_a_droplet_runs_is_kept_also_when_its_tag_is_gone(stack):
    stack.publish("seven")
    slipway_ok("deploy", *stack.here, "--tag", "seven", **stack.settings)
    running = stack.droplet.digests()["web"]
    with stack.cloud.client() as client:
        client.registries.remove_tag(NAME, "docr-app-web", "seven")
    slipway_ok("registry", "gc", **stack.settings)
    digest = next(d.partition("@")[2] for d in running if d.startswith(DOCR))
    assert f"kept-{digest[7:19]}" in stack.tags()
    stack.droplet.remove(STACK)
    slipway_ok("deploy", *stack.here, "--tag", "seven", **stack.settings)
    assert stack.droplet.digests()["web"] == running


def untag(stack, tag):
    """A manifest that nothing needs; its digest."""
    stack.publish(tag)
    stack.publish(f"{tag}-after")
    with stack.cloud.client() as client:
        digest = next(t.digest for t in client.registries.tags(NAME, "docr-app-web") if t.tag == tag)
        client.registries.remove_tag(NAME, "docr-app-web", tag)
    assert digest in stack.manifests()
    return digest


def test_what_somebody_tags_while_the_plan_is_made_does_not_go(stack, monkeypatch):
    from flows import registry_gc  # noqa: PLC0415 — after the environment is set

    digest, real = untag(stack, "eight"), registry_gc.publish_cleanup

    def show(sweep, registry):
        assert digest in {fate.digest for fate in sweep.goes}
        with registry.client() as client:
            client.tag(f"{NAME}/docr-app-web", client.manifest(f"{NAME}/docr-app-web", digest), "again")
        real(sweep, registry)

    monkeypatch.setattr(registry_gc, "publish_cleanup", show)
    said = slipway("registry", "gc", **stack.settings)
    assert (said.code, "changed while it was read. Nothing was removed" in said.err) == (2, True), said.all
    assert digest in stack.manifests()


def test_a_collection_that_somebody_cancels_is_told_and_can_be_run_again(stack):
    digest = untag(stack, "nine")
    stack.cloud.settings(collection_seconds=20)

    def cancel():
        with stack.cloud.client() as client:
            active = wait_until(lambda: client.registries.collection(NAME), pause=0.1)
        path = f"/v2/registries/{NAME}/garbage-collection/{active.uuid}"
        stack.cloud.ask("PUT", path, {"cancel": True})

    somebody = threading.Thread(target=cancel)
    somebody.start()
    said = slipway("registry", "gc", **stack.settings)
    somebody.join(30)
    assert said.code != 0
    assert "ended cancelled" in said.err
    assert "slipway registry gc" in said.err
    assert digest not in stack.manifests()
    stack.cloud.settings(collection_seconds=0)
    assert "MB are free" in slipway_ok("registry", "gc", **stack.settings).out


@pytest.fixture
def other(stack):
    """A second registry of the account, whose plan has room for one repository."""
    body = {"name": OTHER, "region": "nyc3", "subscription_tier_slug": "starter"}
    stack.cloud.ask("POST", "/v2/registries", body)
    block = stack.registry.block.model_copy(
        update={"registry_name": OTHER, "namespace": OTHER, "layout": "single-repository", "repository": "docr-app"}
    )
    with saved(docr_other=block):
        yield {**stack.settings, "SLIPWAY_REGISTRY": "docr-other"}
    stack.droplet.remove(STACK)
    stack.cloud.ask("DELETE", f"/v2/registries/{OTHER}")


def test_of_two_registries_the_named_one_is_used_with_all_images_in_one_repository(stack, other):
    before = stack.tags()
    for tag, lifetime in (("ten", 20), ("eleven", 3), ("twelve", 3)):
        stack.cloud.settings(token_seconds=lifetime)
        said = stack.publish(tag, SLIPWAY_REGISTRY="docr-other")
        assert said.code == 0, said.all
    slipway_ok("deploy", *stack.here, "--tag", "ten", **other)
    running = stack.droplet.digests()["web"]
    slipway_ok("registry", "retention", **other)
    assert stack.tags("docr-app", OTHER) == [
        "docr-app-release-latest", "docr-app-release-ten", "docr-app-release-twelve",
        "docr-app-web-ten", "docr-app-web-twelve",
    ]  # fmt: skip
    slipway_ok("registry", "gc", **other)
    assert len(stack.manifests("docr-app", OTHER)) == 4
    assert stack.tags() == before
    stack.droplet.remove(STACK)
    slipway_ok("deploy", *stack.here, "--tag", "ten", **other)
    assert stack.droplet.digests()["web"] == running
