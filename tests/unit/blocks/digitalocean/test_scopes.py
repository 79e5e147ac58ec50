"""The scopes that the documentation lists for each command: enough for all that it asks, and none too many."""

import json
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from blocks.digitalocean.client import DigitalOcean
from blocks.digitalocean.models import NewDroplet
from blocks.errors import TokenRefused
from tests import CHECKOUT
from tests.support.digitalocean_in_process import (
    add_droplet,
    add_record,
    add_registry,
    needs_description,
    reserved_ips,
    standin,
)
from tests.support.lab import api_contract

from digitalocean_standin.app import ROOMS  # isort: skip — the line above makes it importable

pytestmark = pytest.mark.unit
SCOPE = re.compile(r"`([a-z_]+:[a-z]+)`")
IP = "198.51.100.1"
RULE = {"entry_protocol": "http", "entry_port": 80, "target_protocol": "http", "target_port": 8000}


def documented() -> dict[str, tuple[set[str], set[str]]]:
    """Command, as the page's table has it → the scopes of its calls, and those of fields."""
    rows = re.findall(r"^\| ([^|]+) \| (`[a-z_]+:[a-z][^|]*) \|([^|]*)\|$", PAGE, re.MULTILINE)
    return {what: (set(SCOPE.findall(calls)), set(SCOPE.findall(fields))) for what, calls, fields in rows}


PAGE = (CHECKOUT / "docs/DOCR.md").read_text()
TABLE = {what: calls for what, (calls, _) in documented().items()}
# Where the official description says which scope shows or takes a field that we read or send.
FIELDS = {
    "tag:read": ("droplet/properties/tags", "snapshots/allOf/2/properties/tags"),
    "tag:create": ("droplet_create/properties/tags",),
    "image:read": ("droplet/properties/image/allOf/1", "droplet_create/properties/image"),
    "ssh_key:read": ("droplet_create/properties/ssh_keys",),
    "vpc:read": ("droplet/properties/vpc_uuid", "droplet_create/properties/vpc_uuid"),
}


def of_a_registry(client: DigitalOcean) -> None:
    client.account()
    client.registries.get("team")
    client.registries.all()
    client.registries.subscription()
    client.registries.repositories("team")
    client.registries.credentials("team", 600, write=False)
    client.registries.collection("team")


def tidying(client: DigitalOcean) -> None:
    of_a_registry(client)
    client.registries.tags("team", "web")
    client.registries.manifests("team", "web")
    client.registries.remove_tag("team", "web", "v1")
    client.registries.remove_manifest("team", "web", "sha256:0")
    client.registries.collected("team", client.registries.collect("team").uuid)


def snapshot(client: DigitalOcean) -> None:
    id = client.droplets.named("green").id
    for action in ("shutdown", "power_off", "power_on"):
        client.droplets.act(id, action, 60)
    client.droplets.act(id, "snapshot", 60, anew=True, name="s")
    made = client.snapshots.all()[-1]
    client.tags.add("slipway", made.id, "image")
    client.snapshots.remove(made.id, made.name)
    client.droplets.get(id)


def provision(client: DigitalOcean) -> None:
    client.account()
    client.snapshots.all()
    client.droplets.all(name="copy")
    client.droplets.firewalls(client.droplets.named("green").id)
    client.droplets.create(NewDroplet("copy", "nyc3", "s-1vcpu-1gb", "debian-13-x64", tags=("slipway",)))


def decommission(client: DigitalOcean) -> None:
    [planned] = client.droplets.all(name="old")
    client.droplets.remove(planned, "ours")


def balancer(client: DigitalOcean) -> None:
    id, droplet = client.load_balancers.named("edge").id, client.droplets.named("green").id
    client.load_balancers.add(id, [droplet])
    client.load_balancers.remove(id, [droplet])
    client.load_balancers.get(id)


def balancer_by_tag(client: DigitalOcean) -> None:
    balancer(client)
    id = client.droplets.named("green").id
    client.tags.add("live", id)
    client.tags.take("live", id)


def record(client: DigitalOcean) -> None:
    client.droplets.named("green")
    found = client.domains.record("agents.lab", "app.agents.lab")
    client.domains.change("agents.lab", found, ttl=30)


def reserved(client: DigitalOcean) -> None:
    client.reserved_ips.get(IP)
    client.reserved_ips.assign(IP, client.droplets.named("green").id)
    client.reserved_ips.wait_unlocked(IP, 60)


def rehearsal(client: DigitalOcean) -> None:
    snapshot(client)
    provision(client)
    decommission(client)


ASKED: dict[str, Callable[[DigitalOcean], None]] = {
    "`slipway account check`, and before every build": lambda client: client.account() and None,
    "`slipway account droplets`": lambda client: client.droplets.all() and None,
    "`slipway registry set-docr`, `build-push`, `deploy`": of_a_registry,
    "`slipway registry retention`, `gc`": tidying,
    "`slipway snapshot`": snapshot,
    "`slipway provision`": provision,
    "`slipway decommission`": decommission,
    "`slipway rehearse`, beside those of its switch": rehearsal,
    "a load balancer as switch": balancer,
    "a load balancer by tag as switch": balancer_by_tag,
    "a DNS record as switch": record,
    "a reserved IP as switch": reserved,
}


@pytest.fixture
def lab(tmp_path):
    with standin(tmp_path) as lab:
        add_droplet(lab.cloud, "green")
        add_droplet(lab.cloud, "old", tags=("ours",), ip="192.0.2.9")
        add_record(lab.cloud, "agents.lab", "app", "192.0.2.1")
        add_registry(lab.cloud, "team")
        reserved_ips.add(lab.cloud, IP, "nyc3")
        body: dict[str, Any] = {"name": "edge", "region": "nyc3", "forwarding_rules": [RULE], "droplet_ids": []}
        lab.client.api.send("POST", "/v2/load_balancers", "load_balancer:create", body)
        yield lab


def limited(lab: SimpleNamespace, scopes: set[str]) -> DigitalOcean:
    lab.cloud.tokens["limited"] = {"id": "limited", "scopes": sorted(scopes), "expires": None}
    return DigitalOcean("limited", lab.url)


def test_every_row_is_tried():
    assert set(TABLE) == set(ASKED)


@pytest.mark.parametrize("what", TABLE)
def test_a_token_with_these_scopes_is_enough(lab, what):
    with limited(lab, TABLE[what]) as client:
        ASKED[what](client)


@pytest.mark.parametrize(("what", "scope"), [(what, scope) for what in TABLE for scope in sorted(TABLE[what])])
def test_and_none_of_them_is_too_many(lab, what, scope):
    with limited(lab, TABLE[what] - {scope}) as client, pytest.raises(TokenRefused, match=scope):
        ASKED[what](client)


def test_no_call_of_the_client_is_made_that_no_row_has():
    call = re.compile(
        r"client\.((?:droplets|snapshots|tags|load_balancers|domains|reserved_ips|registries)\.[a-z_]+)\("
    )
    code = [path.read_text() for room in ("flows", "blocks") for path in (CHECKOUT / room).rglob("*.py")]
    made = {name for text in code for name in call.findall(text)}
    here = set(call.findall((CHECKOUT / "tests/unit/blocks/digitalocean/test_scopes.py").read_text()))
    assert len(made) > 20
    assert made - here == set()


def test_a_droplet_whose_tags_may_not_be_read_is_one_without_tags(lab):
    for droplet in lab.cloud.droplets.values():
        del droplet["tags"]
    assert lab.client.droplets.named("green").tags == ()
    lab.cloud.exchanges.clear()  # the official description has the field in every answer


@needs_description
def test_the_scopes_of_fields_are_those_of_the_official_description():
    schemas = json.loads(api_contract.SPEC.read_text())["components"]["schemas"]
    for scope, places in FIELDS.items():
        for place in places:
            found: Any = schemas
            for part in place.split("/"):
                found = found[int(part) if part.isdigit() else part]
            assert f"Requires `{scope}` scope" in found["description"]
    assert set().union(*(fields for _, fields in documented().values())) == set(FIELDS)


@needs_description
def test_the_stand_in_asks_for_the_scopes_of_the_official_description():
    described = {
        (method.upper(), re.sub(r"\{[^}]*\}", "{}", path)): [set(one["bearer_auth"]) for one in operation["security"]]
        for path, operations in json.loads(api_contract.SPEC.read_text())["paths"].items()
        for method, operation in operations.items()
        if isinstance(operation, dict) and "security" in operation
    }
    asked = [(method, re.sub(r"\{[^}]*\}", "{}", path), set(scope.split()))
             for room in ROOMS for method, path, scope, _ in room.ROUTES]  # fmt: skip
    assert len(asked) > 40
    wrong = [one for one in asked if one[2] not in described.get(one[:2], [one[2]])]
    assert wrong == []
