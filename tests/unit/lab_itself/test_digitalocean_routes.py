"""The stand-in's routes that Slipway's client has no use for, or uses only rightly: good asks, and each bad one."""

import base64
import json
import time
from types import SimpleNamespace

import httpx
import pytest

from tests.support import wait_until
from tests.support.digitalocean_in_process import (
    TOKEN,
    ApiError,
    Storage,
    add_droplet,
    add_record,
    add_registry,
    held,
    realm,
    reserved_ips,
    standin,
)

pytestmark = pytest.mark.unit
RULE = {"entry_protocol": "http", "entry_port": 80, "target_protocol": "http", "target_port": 8000}
A = {"type": "A", "name": "www", "data": "192.0.2.1", "ttl": 60}
EMPTY = dict.fromkeys(("priority", "port", "weight", "flags", "tag"))


@pytest.fixture
def lab(tmp_path):
    with standin(tmp_path) as lab:
        lab.green = add_droplet(lab.cloud, "green")
        lab.far = add_droplet(lab.cloud, "far", region="fra1", ip="192.0.2.2")
        lab.record = add_record(lab.cloud, "agents.lab", "app", "192.0.2.1")
        add_registry(lab.cloud, "team")
        reserved_ips.add(lab.cloud, "198.51.100.1", "nyc3")
        yield lab


def ask(lab, method, path, body=None, token=TOKEN):
    """(status, body); `{green}`, `{far}` and `{record}` stand for their ids."""
    path = path.format(green=lab.green, far=lab.far, record=lab.record)
    login = {"Authorization": f"Bearer {token}"}
    answer = httpx.request(method, f"{lab.url}/v2/{path}", json=body, headers=login, trust_env=False)
    return answer.status_code, answer.json() if answer.content else None


BAD = [
    ("POST", "registries", {"name": "team"}, 409, "already in use"),
    ("POST", "registries", {"name": "Team!"}, 422, "invalid"),
    ("POST", "registries/validate-name", {"name": "team"}, 409, "already in use"),
    ("GET", "registries/none", None, 404, "not found"),
    ("DELETE", "registries/none", None, 404, "not found"),
    ("GET", "registries/none/docker-credentials", None, 404, "not found"),
    ("DELETE", "registries/team/repositories/none", None, 404, "not found"),
    ("DELETE", "registries/team/repositories/none/tags/one", None, 404, "not found"),
    ("GET", "registries/none/garbage-collection", None, 404, "not found"),
    ("GET", "registries/team/garbage-collection", None, 404, "no active"),
    ("PUT", "registries/team/garbage-collection/none", {"cancel": True}, 404, "not found"),
    ("POST", "load_balancers", {"name": "b", "forwarding_rules": []}, 422, "forwarding rule"),
    ("POST", "load_balancers", {"name": "b", "forwarding_rules": [RULE], "droplet_ids": [7]}, 422, "does not exist"),
    ("POST", "load_balancers", {"name": "b", "forwarding_rules": [RULE], "droplet_ids": [7], "tag": "t"}, 422, "excl"),
    ("POST", "load_balancers", {"name": "b", "forwarding_rules": [RULE], "region": "mars"}, 422, "region"),
    ("PUT", "load_balancers/none", {"name": "b", "forwarding_rules": [RULE]}, 404, "could not be found"),
    ("DELETE", "load_balancers/none", None, 404, "could not be found"),
    ("POST", "domains", {"name": "agents.lab"}, 422, "already exists"),
    ("GET", "domains/other.lab", None, 404, "could not be found"),
    ("POST", "domains/agents.lab/records", {**A, **EMPTY, "ttl": 29}, 422, "at least 30"),
    ("POST", "domains/agents.lab/records", {**A, **EMPTY, "data": "nowhere"}, 422, "IP address"),
    ("POST", "domains/agents.lab/records", {**A, **EMPTY, "data": "2001:db8::1"}, 422, "IP address"),
    ("POST", "domains/agents.lab/records", {**A, **EMPTY, "type": "Q"}, 422, "Type must be"),
    ("PATCH", "domains/agents.lab/records/{record}", {"data": "192.0.2.9"}, 422, "type is required"),
    ("GET", "domains/agents.lab/records/7", None, 404, "could not be found"),
    ("POST", "reserved_ips", {"region": "mars"}, 422, "region"),
    ("POST", "reserved_ips", {"droplet_id": 7}, 422, "droplet could not be found"),
    ("POST", "reserved_ips/198.51.100.1/actions", {"type": "assign", "droplet_id": 7}, 422, "could not be found"),
    ("POST", "reserved_ips/198.51.100.1/actions", {"type": "assign", "droplet_id": "far"}, 422, "another region"),
    ("POST", "reserved_ips/198.51.100.1/actions", {"type": "polish"}, 422, "not a valid action"),
    ("DELETE", "reserved_ips/192.0.2.77", None, 404, "could not be found"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status", "why"), BAD)
def test_a_bad_ask_is_refused_with_the_reason(lab, method, path, body, status, why):
    if (body or {}).get("droplet_id") == "far":
        body = {**body, "droplet_id": lab.far}
    before = json.dumps([lab.cloud.balancers, lab.cloud.domains, lab.cloud.reserved, list(lab.cloud.registries)])
    said = ask(lab, method, path, body)
    assert (said[0], why in said[1]["message"]) == (status, True), said
    assert before == json.dumps(
        [lab.cloud.balancers, lab.cloud.domains, lab.cloud.reserved, list(lab.cloud.registries)]
    )


def test_a_registry_is_made_shown_and_removed(lab):
    assert ask(lab, "POST", "registries/validate-name", {"name": "other"}) == (204, None)
    status, made = ask(lab, "POST", "registries", {"name": "other", "subscription_tier_slug": "basic"})
    assert (status, made["registry"]["subscription"]["tier"]["included_repositories"]) == (201, 5)
    assert [r["name"] for r in ask(lab, "GET", "registries")[1]["registries"]] == ["team", "other"]
    assert ask(lab, "GET", "registries/options")[0] == 200
    assert ask(lab, "DELETE", "registries/other") == (204, None)
    assert ask(lab, "GET", "registries/other")[0] == 404


def test_only_one_collection_at_a_time_and_it_can_be_cancelled_until_it_deletes(lab):
    lab.parts.registry.writing = True
    collection = ask(lab, "POST", "registries/team/garbage-collection")[1]["garbage_collection"]
    one = f"registries/team/garbage-collection/{collection['uuid']}"
    assert ask(lab, "POST", "registries/team/garbage-collection")[0] == 409
    assert (lab.parts.registry.read_only, ask(lab, "PUT", one, {"cancel": False})[0]) == (["team"], 200)
    with held(lab):
        lab.parts.registry.writing = False
        wait_until(lambda: lab.cloud.collections["team"][0]["status"] == "deleting unreferenced blobs")
        assert ask(lab, "PUT", one, {"cancel": True})[0] == 409
    wait_until(lambda: ask(lab, "GET", "registries/team/garbage-collection")[0] == 404)
    assert (lab.cloud.collections["team"][0]["status"], lab.parts.registry.read_only) == ("succeeded", [])
    lab.parts.registry.writing = True
    second = ask(lab, "POST", "registries/team/garbage-collection")[1]["garbage_collection"]
    assert ask(lab, "PUT", f"registries/team/garbage-collection/{second['uuid']}", {"cancel": True})[0] == 200
    wait_until(lambda: lab.cloud.collections["team"][1]["status"] == "cancelled")
    assert lab.cloud.collections["team"][1]["blobs_deleted"] == 0


def balancer(name="b", **members):
    return {"name": name, "region": "nyc3", "forwarding_rules": [RULE], **members}


def test_a_put_of_a_balancer_resets_what_it_leaves_out(lab):
    body = {**balancer(droplet_ids=[lab.green]), "enable_proxy_protocol": True,
            "http_idle_timeout_seconds": 90, "health_check": {"port": 8000}}  # fmt: skip
    made = ask(lab, "POST", "load_balancers", body)[1]["load_balancer"]
    assert (made["status"], made["enable_proxy_protocol"], made["http_idle_timeout_seconds"]) == ("new", True, 90)
    one = f"load_balancers/{made['id']}"
    wait_until(lambda: ask(lab, "GET", one)[1]["load_balancer"]["status"] == "active")
    status, said = ask(lab, "PUT", one, balancer("c", droplet_ids=[lab.green]))
    after = said["load_balancer"]
    assert (status, after["name"], after["health_check"]["port"]) == (200, "c", 80)
    assert (after["enable_proxy_protocol"], after["http_idle_timeout_seconds"]) == (False, 60)
    assert (after["ip"], after["status"], after["health_check"]["healthy_threshold"]) == (made["ip"], "active", 3)
    assert ask(lab, "DELETE", one) == (204, None)
    assert lab.parts.balancers.log[-1] == ("remove", "c")


def test_a_droplet_that_goes_leaves_its_balancer_and_its_address(lab):
    made = ask(lab, "POST", "load_balancers", balancer(droplet_ids=[lab.green]))
    assert ask(lab, "POST", "reserved_ips", {"droplet_id": lab.green})[0] == 202
    wait_until(lambda: lab.client.reserved_ips.get("198.51.100.2").droplet == lab.green)
    assert ask(lab, "DELETE", "droplets/{green}")[0] == 204
    assert lab.client.load_balancers.get(made[1]["load_balancer"]["id"]).droplets == ()
    assert ("serve", "b", ()) in lab.parts.balancers.log
    assert lab.client.reserved_ips.get("198.51.100.2").droplet is None


def test_a_new_droplet_with_a_balancers_tag_is_in(lab):
    ask(lab, "POST", "load_balancers", balancer(tag="live"))
    body = {"name": "new", "region": "nyc3", "size": "s-1vcpu-1gb", "image": "debian-13-x64", "tags": ["live"]}
    id = ask(lab, "POST", "droplets", body)[1]["droplet"]["id"]
    wait_until(lambda: ("serve", "b", (id,)) in lab.parts.balancers.log)
    assert ask(lab, "DELETE", f"droplets/{id}")[0] == 204
    assert [done for done in lab.parts.balancers.log if done[0] == "serve"][-1] == ("serve", "b", ())


def test_a_domain_is_made_with_an_address_of_its_own_and_removed(lab):
    assert ask(lab, "POST", "domains", {"name": "other.lab", "ip_address": "192.0.2.3"})[0] == 201
    [record] = ask(lab, "GET", "domains/other.lab/records?name=other.lab&type=A")[1]["domain_records"]
    assert (record["name"], record["data"], record["ttl"]) == ("@", "192.0.2.3", 1800)
    assert {d["name"] for d in ask(lab, "GET", "domains")[1]["domains"]} == {"agents.lab", "other.lab"}
    assert ask(lab, "DELETE", "domains/other.lab") == (204, None)
    assert ask(lab, "GET", "domains/other.lab")[0] == 404


def test_addresses_have_a_limit_and_what_was_done_is_listed(lab):
    lab.cloud.settings["reserved_ip_limit"] = 1
    assert ask(lab, "POST", "reserved_ips", {"region": "nyc3"})[0] == 422
    lab.client.reserved_ips.assign("198.51.100.1", lab.green)
    [action] = ask(lab, "GET", "reserved_ips/198.51.100.1/actions")[1]["actions"]
    assert (action["type"], action["status"]) == ("assign_ip", "completed")
    with held(lab):
        assert ask(lab, "POST", "reserved_ips/198.51.100.1/actions", {"type": "unassign"})[0] == 201
        assert "locked" in ask(lab, "POST", "reserved_ips/198.51.100.1/actions", {"type": "unassign"})[1]["message"]
        assert ask(lab, "DELETE", "reserved_ips/198.51.100.1")[0] == 422
    wait_until(lambda: lab.client.reserved_ips.get("198.51.100.1").droplet is None)


def test_a_login_of_the_registry_needs_both_scopes(lab):
    lab.cloud.tokens["weak"] = {"id": "weak", "scopes": ["registry:read"], "expires": None}
    status, said = ask(lab, "GET", "registries/team/docker-credentials", token="weak")
    assert (status, said["message"]) == (403, "You are missing the required permission registry:update")


@pytest.mark.parametrize(
    ("word", "scope", "expected"),
    [
        ("writes", "repository:team/app:pull,push", ["pull", "push"]),
        ("writes", "repository:team/app:*", ["delete", "pull", "push"]),
        ("reads", "repository:team/app:pull,push", ["pull"]),
        ("writes", "repository:other/app:pull", []),
        ("writes", "registry:catalog:*", []),
        (TOKEN, "repository:team/a/b:push", ["push"]),
        ("weak", "repository:team/app:push", []),
        ("writes", "nonsense", []),
    ],
)
def test_a_registry_token_holds_what_the_login_may(lab, word, scope, expected):
    given = realm.token(lab.cloud, parts(lab), basic(word), [scope])
    assert [grant["actions"] for grant in given["token"]] == ([expected] if expected else [])


@pytest.mark.parametrize("word", ["nobody", "", "gone"])
def test_a_login_that_is_not_known_gets_no_token(lab, word):
    with pytest.raises(ApiError) as refused:
        realm.token(lab.cloud, parts(lab), basic(word), [])
    assert refused.value.status == 401


def parts(lab):
    """The registry with two logins; its tokens are what they hold. Two API tokens: one reads, one has expired."""
    lab.cloud.tokens["weak"] = {"id": "weak", "scopes": ["registry:read"], "expires": None}
    lab.cloud.tokens["gone"] = {"id": "gone", "scopes": None, "expires": time.time() - 1}
    logins = {word: {"registry": "team", "write": word == "writes"} for word in ("reads", "writes")}
    storage = lab.parts.registry.storage
    return SimpleNamespace(registry=SimpleNamespace(storage=storage, known=logins.get, token=lambda _, held, __: held))


def basic(word):
    return f"Basic {base64.b64encode(f'user:{word}'.encode()).decode()}"


def test_a_repository_is_one_that_has_a_manifest(tmp_path):
    storage = Storage(tmp_path)
    for name in ("app", "app/worker", "empty"):
        folder = storage.root / "repositories/team" / name / "_manifests/revisions/sha256"
        folder.mkdir(parents=True)
        if name != "empty":
            (folder / "ab").mkdir()
            (folder / "ab/link").write_text("sha256:ab")
    assert storage.repositories("team") == ["app", "app/worker"]
    storage.remove_repository("team", "app")
    assert storage.repositories("team") == ["app/worker"]
