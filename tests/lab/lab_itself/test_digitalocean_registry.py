"""The account's registry: what the API hands out is what it takes, and a collection really collects."""

import os
import subprocess
import time

import httpx
import pytest

from tests.support import wait_until
from tests.support.lab.digitalocean_account import calm_cloud
from tests.support.lab.lab import DOCR, DOCR_TOKENS, lab_tls

pytestmark = pytest.mark.lab
NAME = "slipway-lab"
SIZE = 300_000


@pytest.fixture
def cloud():
    """The account, with tokens of the registry that live for seconds."""
    with calm_cloud() as cloud:
        cloud.settings(token_seconds=3, action_seconds=0.5, rate_minute=5000)
        yield cloud


@pytest.fixture
def registries(cloud):
    with cloud.client() as client:
        yield client.registries


@pytest.fixture
def image(lab, registries, unique, tmp_path):
    """An image that nothing else has: its reference in a repository of its own. Nothing of it is left."""
    reference = f"{DOCR}/{NAME}/{unique}:one"
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY bytes /\n")
    (tmp_path / "bytes").write_bytes(os.urandom(SIZE))
    lab.docker("build", "-q", "-t", reference, str(tmp_path))
    yield reference
    lab.docker("rmi", "-f", reference, check=False)
    for manifest in registries.manifests(NAME, unique):
        registries.remove_manifest(NAME, unique, manifest.digest)


@pytest.fixture
def docker(lab, registries, tmp_path):
    """The client with a login of so many seconds; returns (exit code, all it said)."""

    def run(*argv, seconds=600, write=True):
        config = tmp_path / f"config-{seconds}-{write}"
        if not config.exists():
            user, password = registries.credentials(NAME, seconds, write=write)
            login = [*client, "--config", str(config), "login", "-u", user, "--password-stdin", DOCR]
            subprocess.run(login, input=password, text=True, check=True, capture_output=True, timeout=60)
        argv = [*client, "--config", str(config), *argv]
        done = subprocess.run(argv, text=True, capture_output=True, timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr

    client = ["docker"]
    return run


def https(method, url, **more):
    return httpx.request(method, url, verify=lab_tls(), trust_env=False, **more)


def repository(image):
    return image.rpartition("/")[2].partition(":")[0]


def test_a_login_of_the_api_pushes_and_pulls_until_it_expires(lab, docker, image, registries):
    assert docker("push", image, seconds=8)[0] == 0
    lab.docker("rmi", image)
    assert docker("pull", image, seconds=8)[0] == 0
    [tag] = registries.tags(NAME, repository(image))
    assert (tag.tag, tag.digest in lab.docker("inspect", "--format", "{{.RepoDigests}}", image)) == ("one", True)
    refused = wait_until(lambda: [said for code, said in [docker("pull", image, seconds=8)] if code])
    assert "unauthorized" in refused[0]
    assert docker("pull", image)[0] == 0  # one that lives longer still does


def test_a_login_for_reading_does_not_push(docker, image):
    code, said = docker("push", image, write=False)
    assert (code, "denied" in said) == (1, True)
    assert docker("push", image)[0] == 0
    assert docker("pull", image, write=False)[0] == 0


@pytest.mark.parametrize("authorization", ["", "Basic !", "Basic bm86Ym9keQ=="])
def test_without_a_known_login_there_is_no_token(lab, authorization):
    answer = https("GET", DOCR_TOKENS, headers={"Authorization": authorization})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (401, "UNAUTHORIZED")


def test_a_token_of_the_registry_is_good_for_as_long_as_it_says(cloud, registries):
    cloud.settings(token_seconds=2)
    asked = {"scope": f"repository:{NAME}/none:pull"}
    given = https("GET", DOCR_TOKENS, params=asked, auth=registries.credentials(NAME, 60, write=False)).json()
    login = {"Authorization": f"Bearer {given['token']}"}

    def answers():
        return https("GET", f"https://{DOCR}/v2/{NAME}/none/tags/list", headers=login).status_code

    assert given["expires_in"] == 2
    assert answers() == 404  # let in: there is no such repository
    wait_until(lambda: answers() == 401)


def test_a_collection_waits_for_writers_refuses_new_ones_and_frees_what_nothing_refers_to(docker, image, registries):
    assert docker("push", image)[0] == 0
    [manifest] = registries.manifests(NAME, repository(image))
    kept = image.replace(":one", ":two")
    registries.remove_manifest(NAME, repository(image), manifest.digest)
    used = registries.get(NAME).used
    began, seen = time.monotonic(), []
    collection = registries.collect(NAME)
    subprocess.run(["docker", "tag", image, kept], check=True, timeout=20)
    code, said = docker("push", kept)
    assert (code, "read-only mode" in said) == (1, True)
    wait_until(lambda: seen.append(registries.collected(NAME, collection.uuid)) or seen[-1].ended)
    assert time.monotonic() - began > 2  # the push before it was given a token of three seconds
    assert list(dict.fromkeys(c.status for c in seen))[-4:] == [
        "waiting for write JWTs to expire", "scanning manifests", "deleting unreferenced blobs", "succeeded",
    ]  # fmt: skip
    assert (seen[-1].freed >= SIZE, seen[-1].blobs_deleted >= 3) == (True, True)
    assert registries.get(NAME).used <= used - SIZE
    assert registries.collection(NAME) is None
    assert docker("push", kept)[0] == 0  # at once
    subprocess.run(["docker", "rmi", "-f", kept], check=False, capture_output=True, timeout=20)


def test_a_manifest_without_a_tag_survives_a_collection_of_blobs_alone(cloud, docker, image, registries):
    assert docker("push", image)[0] == 0
    name = repository(image)
    [manifest] = registries.manifests(NAME, name)
    registries.remove_tag(NAME, name, "one")
    uuid = registries.collect(NAME).uuid
    wait_until(lambda: registries.collected(NAME, uuid).ended)
    assert docker("pull", f"{DOCR}/{NAME}/{name}@{manifest.digest}")[0] == 0
    assert [m.digest for m in registries.manifests(NAME, name)] == [manifest.digest]


def test_a_collection_that_is_cancelled_removes_nothing(cloud, docker, image, registries):
    assert docker("push", image)[0] == 0
    [manifest] = registries.manifests(NAME, repository(image))
    registries.remove_manifest(NAME, repository(image), manifest.digest)
    used, uuid = registries.get(NAME).used, registries.collect(NAME).uuid
    path = f"/v2/registries/{NAME}/garbage-collection/{uuid}"
    assert cloud.ask("PUT", path, {"cancel": True})["garbage_collection"]["status"] == "cancelling"
    assert wait_until(lambda: [c for c in [registries.collected(NAME, uuid)] if c.ended])[0].status == "cancelled"
    assert registries.get(NAME).used == used
    assert docker("push", image)[0] == 0


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        ({"included_repositories": 1}, "repositories, limit is 1"),
        ({"included_storage_bytes": 1, "allow_storage_overage": False}, "storage limit exceeded"),
    ],
)
def test_what_the_plan_does_not_include_is_denied(cloud, docker, image, registries, plan, why):
    other = image.replace(f"/{NAME}/", f"/{NAME}/other-")
    subprocess.run(["docker", "tag", image, other], check=True, timeout=20)
    try:
        assert docker("push", other)[0] == 0
        cloud.settings(plan=plan)
        code, said = docker("push", image)
        assert (code, why in said) == (1, True)
        assert registries.tags(NAME, repository(image)) == []
    finally:
        subprocess.run(["docker", "rmi", "-f", other], check=False, capture_output=True, timeout=20)
        for manifest in registries.manifests(NAME, repository(other)):
            registries.remove_manifest(NAME, repository(other), manifest.digest)


def test_two_registries_open_to_their_own_logins_alone(cloud, lab, docker, image, registries, unique):
    cloud.ask("POST", "/v2/registries", {"name": unique, "subscription_tier_slug": "professional"})
    try:
        assert {r.name for r in registries.all()} >= {NAME, unique}
        other = image.replace(f"/{NAME}/", f"/{unique}/")
        lab.docker("tag", image, other)
        code, said = docker("push", other)
        assert (code, "denied" in said) == (1, True)
    finally:
        cloud.ask("DELETE", f"/v2/registries/{unique}")
        lab.docker("rmi", "-f", other, check=False)
    assert unique not in {r.name for r in registries.all()}
