"""What goes wrong with DigitalOcean's registry while it is used, each with what stands there afterwards."""

import threading
import time

import pytest

from tests.stacks.docr import HOST, NAME, open_docr_stack
from tests.support.lab.cli import slipway, slipway_ok
from tests.support.lab.saved_blocks import saved

pytestmark = pytest.mark.lab
OTHER = "slipway-other"


@pytest.fixture(scope="module")
def booth(tmp_path_factory):
    with open_docr_stack(tmp_path_factory.mktemp("booth")) as booth:
        booth.publish("base")  # the layers that all share take longer than the tokens of these tests live
        yield booth


@pytest.fixture(autouse=True)
def calm(booth):
    booth.cloud.settings(token_seconds=3)
    yield
    booth.cloud.calm()


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


def test_a_login_that_expires_during_a_push_is_renewed_and_told(booth, before_push):
    before_push(expire(write=True))
    said = booth.publish("one")
    assert said.code == 0, said.all
    assert f"the login at {HOST} was refused: it has expired" in said.all
    assert "docr_v1_gone" not in said.all
    assert "one" in booth.tags()


def test_a_login_that_expired_when_a_droplet_pulls_is_renewed_and_told(booth, monkeypatch):
    from blocks import DocrRegistry  # noqa: PLC0415 — after the environment is set

    real, old = DocrRegistry.login, [expire(write=False)]

    def login(block, *, write):
        if old and not write:
            old.pop()(block)
        return real(block, write=write)

    booth.publish("one")
    monkeypatch.setattr(DocrRegistry, "login", login)
    said = slipway_ok("deploy", *booth.here, "--tag", "one", **booth.settings)
    assert old == []
    assert "It has expired, or was revoked; trying a new one" in said.all
    assert "docr_v1_gone" not in said.all
    assert set(booth.on.digests()) == {"till"}


def test_a_collection_that_begins_during_a_push_is_awaited_and_the_push_made_again(booth, before_push):
    begun = []

    def collect(_block):
        with booth.cloud.client() as client:
            begun.append(client.registries.collect(NAME))

    before_push(collect)
    said = booth.publish("two")
    assert said.code == 0, said.all
    assert f"waiting for garbage collection of {NAME}" in said.all
    with booth.cloud.client() as client:
        assert client.registries.collected(NAME, begun[0].uuid).status == "succeeded"
    assert "two" in booth.tags()
    assert "two" in booth.tags("booth-release")


def test_a_collection_that_does_not_end_is_not_waited_for_for_ever(booth):
    booth.cloud.settings(collection_seconds=6)
    with booth.cloud.client() as client:
        collection = client.registries.collect(NAME)
        said = booth.publish("three", SLIPWAY_COLLECTION_TIMEOUT="1")
        assert (said.code, f"garbage collection of {NAME} is still" in said.err) == (1, True)
        assert "three" not in booth.tags()
        while not client.registries.collected(NAME, collection.uuid).ended:
            time.sleep(0.2)


def test_a_token_that_is_revoked_during_a_push_leaves_no_release(booth, before_push):
    token, id = booth.cloud.new_token()
    block = booth.block.model_copy(update={"account": booth.cloud.account(token)})
    before_push(lambda _block: booth.cloud.revoke(id))
    with saved(booth_revoked=block):
        said = booth.publish("four", SLIPWAY_REGISTRY="booth-revoked")
    assert (said.code, "The token is mistyped, expired or revoked: slipway account set" in said.err) == (2, True)
    assert token not in said.all
    assert "four" not in booth.tags("booth-release")


def test_a_droplet_that_cannot_be_asked_keeps_everything_until_it_is_said_to_be_gone(booth):
    from blocks import Droplet  # noqa: PLC0415 — after the environment is set

    booth.publish("five")
    booth.publish("six")
    before = booth.tags()
    with saved(booth_far=Droplet.load("green").model_copy(update={"host": "127.0.0.1", "port": 9})):
        for command in ("retention", "gc"):
            said = slipway("registry", command, **booth.settings)
            assert (said.code, "gone for good: --without booth-far" in said.err) == (2, True), said.all
        assert booth.tags() == before
        said = slipway_ok("registry", "retention", "--dry-run", "--without", "booth-far", **booth.settings)
    assert "goes" in said.out


def test_what_a_droplet_runs_is_kept_also_when_its_tag_is_gone(booth):
    booth.publish("seven")
    slipway_ok("deploy", *booth.here, "--tag", "seven", **booth.settings)
    running = booth.on.digests()["till"]
    with booth.cloud.client() as client:
        client.registries.remove_tag(NAME, "booth-till", "seven")
    slipway_ok("registry", "gc", **booth.settings)
    digest = next(d.partition("@")[2] for d in running if d.startswith(HOST))
    assert f"kept-{digest[7:19]}" in booth.tags()
    booth.on.remove("booth")
    slipway_ok("deploy", *booth.here, "--tag", "seven", **booth.settings)
    assert booth.on.digests()["till"] == running


def untag(booth, tag):
    """A manifest that nothing needs; its digest."""
    booth.publish(tag)
    booth.publish(f"{tag}-after")
    with booth.cloud.client() as client:
        digest = next(t.digest for t in client.registries.tags(NAME, "booth-till") if t.tag == tag)
        client.registries.remove_tag(NAME, "booth-till", tag)
    assert digest in booth.manifests()
    return digest


def test_what_somebody_tags_while_the_plan_is_made_does_not_go(booth, monkeypatch):
    from flows import registry_gc  # noqa: PLC0415 — after the environment is set

    digest, real = untag(booth, "eight"), registry_gc.publish_cleanup

    def show(sweep, registry):
        assert digest in {fate.digest for fate in sweep.goes}
        with registry.client() as client:
            client.tag(f"{NAME}/booth-till", client.manifest(f"{NAME}/booth-till", digest), "again")
        real(sweep, registry)

    monkeypatch.setattr(registry_gc, "show", show)
    said = slipway("registry", "gc", **booth.settings)
    assert (said.code, "changed while it was read. Nothing was removed" in said.err) == (2, True), said.all
    assert digest in booth.manifests()


def test_a_collection_that_somebody_cancels_is_told_and_can_be_run_again(booth):
    digest = untag(booth, "nine")
    booth.cloud.settings(collection_seconds=20)

    def cancel():
        with booth.cloud.client() as client:
            while (active := client.registries.collection(NAME)) is None:
                time.sleep(0.1)
        path = f"/v2/registries/{NAME}/garbage-collection/{active.uuid}"
        booth.cloud.ask("PUT", path, {"cancel": True})

    somebody = threading.Thread(target=cancel)
    somebody.start()
    said = slipway("registry", "gc", **booth.settings)
    somebody.join(30)
    assert said.code != 0
    assert "ended cancelled" in said.err
    assert "slipway registry gc" in said.err
    assert digest not in booth.manifests()
    booth.cloud.settings(collection_seconds=0)
    assert "MB are free" in slipway_ok("registry", "gc", **booth.settings).out


@pytest.fixture
def other(booth):
    """A second registry of the account, whose plan has room for one repository."""
    body = {"name": OTHER, "region": "nyc3", "subscription_tier_slug": "starter"}
    booth.cloud.ask("POST", "/v2/registries", body)
    block = booth.block.model_copy(
        update={"registry_name": OTHER, "namespace": OTHER, "layout": "single-repository", "repository": "booth"}
    )
    with saved(booth_other=block):
        yield {**booth.settings, "SLIPWAY_REGISTRY": "booth-other"}
    booth.on.remove("booth")
    booth.cloud.ask("DELETE", f"/v2/registries/{OTHER}")


def test_of_two_registries_the_named_one_is_used_with_all_images_in_one_repository(booth, other):
    before = booth.tags()
    for tag, lifetime in (("ten", 20), ("eleven", 3), ("twelve", 3)):
        booth.cloud.settings(token_seconds=lifetime)
        said = booth.publish(tag, SLIPWAY_REGISTRY="booth-other")
        assert said.code == 0, said.all
    slipway_ok("deploy", *booth.here, "--tag", "ten", **other)
    running = booth.on.digests()["till"]
    slipway_ok("registry", "retention", **other)
    assert booth.tags("booth", OTHER) == [
        "booth-release-latest", "booth-release-ten", "booth-release-twelve", "booth-till-ten", "booth-till-twelve",
    ]  # fmt: skip
    slipway_ok("registry", "gc", **other)
    assert len(booth.manifests("booth", OTHER)) == 4
    assert booth.tags() == before
    booth.on.remove("booth")
    slipway_ok("deploy", *booth.here, "--tag", "ten", **other)
    assert booth.on.digests()["till"] == running
