"""Load balancers."""

from __future__ import annotations

import uuid
from typing import Any

from .account import Answer
from .ask import Ask, Json, page
from .cloud import REGIONS, Cloud, now
from .errors import missing, unprocessable

CHECK: Json = {"protocol": "http", "port": 80, "path": "/", "check_interval_seconds": 10,
               "response_timeout_seconds": 5, "unhealthy_threshold": 5, "healthy_threshold": 3}  # fmt: skip
RULE: Json = {"entry_protocol": "http", "entry_port": 80, "target_protocol": "http", "target_port": 80,
              "certificate_id": "", "tls_passthrough": False}  # fmt: skip
DEFAULTS: Json = {
    "project_id": "746c6152-2fa2-11ed-92d3-27aaa54e4988", "size_unit": 1, "size": "lb-small",
    "algorithm": "round_robin", "sticky_sessions": {"type": "none"}, "redirect_http_to_https": False,
    "enable_proxy_protocol": False, "enable_backend_keepalive": False, "http_idle_timeout_seconds": 60,
    "vpc_uuid": "760e09ef-dc84-11e8-981e-3cfdfeaae000", "disable_lets_encrypt_dns_records": False,
    "firewall": {"deny": [], "allow": []},
}  # fmt: skip
KEPT_BY_PUT = ("id", "ip", "created_at", "status", "region")


def built(body: Json, kept: Json | None = None) -> Json:
    """A balancer from what was given; what was left out is as by default, also when it was something else before.

    Raises ApiError: it cannot be like that.
    """
    if not body["forwarding_rules"]:
        raise unprocessable("forwarding rules must have at least one rule")
    if body.get("tag") and body.get("droplet_ids"):
        raise unprocessable("tag and droplet_ids are mutually exclusive")
    if body.get("region", "nyc3") not in REGIONS:
        raise unprocessable("invalid region")
    given = {name: body[name] for name in DEFAULTS if body.get(name) is not None}
    return {
        **DEFAULTS, **given, "id": str(uuid.uuid4()), "name": body["name"], "ip": "", "status": "new",
        "created_at": now(), "forwarding_rules": [{**RULE, **rule} for rule in body["forwarding_rules"]],
        "health_check": {**CHECK, **(body.get("health_check") or {})},
        "region": REGIONS[body.get("region", "nyc3")], "tag": body.get("tag") or "",
        "droplet_ids": sorted(set(body.get("droplet_ids") or [])),
        **{name: kept[name] for name in KEPT_BY_PUT if kept},
    }  # fmt: skip


def follow(cloud: Cloud, parts: Any) -> None:
    """Let every balancer route to what is in it now. Called whenever members, tags or addresses changed."""
    with cloud.lock:
        for balancer in cloud.balancers.values():
            if balancer["tag"]:
                tagged = [d for d in cloud.droplets.values() if balancer["tag"] in d["tags"]]
                balancer["droplet_ids"] = sorted(d["id"] for d in tagged if not d.get("_leaving"))
            members = {
                id: cloud.droplets[id]["networks"]["v4"][0]["ip_address"]
                for id in balancer["droplet_ids"]
                if id in cloud.droplets and cloud.droplets[id]["networks"]["v4"]
            }
            balancer["ip"] = parts.balancers.serve(balancer, members)


def found(cloud: Cloud, ask: Ask) -> Json:
    """Raises ApiError."""
    if ask.parts["id"] not in cloud.balancers:
        raise missing()
    return cloud.balancers[ask.parts["id"]]


def list_balancers(cloud: Cloud, _parts: Any, ask: Ask) -> Answer:
    """All."""
    return 200, page(ask, "load_balancers", list(cloud.balancers.values()))


def get_balancer(cloud: Cloud, _parts: Any, ask: Ask) -> Answer:
    """One."""
    return 200, {"load_balancer": found(cloud, ask)}


def create_balancer(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """Make one."""
    ask.need("name", "forwarding_rules")
    balancer = built(ask.body)
    _known(cloud, balancer["droplet_ids"])
    cloud.balancers[balancer["id"]] = balancer
    follow(cloud, parts)
    answer = dict(balancer)

    def ready() -> None:
        if balancer["id"] in cloud.balancers:  # it may have been changed, or be gone, since
            cloud.balancers[balancer["id"]]["status"] = "active"

    cloud.begin("create", None, "load_balancer", ready, ask.fault)
    return 202, {"load_balancer": answer}


def _known(cloud: Cloud, ids: list[int]) -> None:
    for id in ids:
        if id not in cloud.droplets:
            raise unprocessable(f"droplet {id} does not exist")


def update_balancer(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """Everything that is left out goes back to its default."""
    before = found(cloud, ask)
    ask.need("name", "forwarding_rules")
    after = built(ask.body, before)
    _known(cloud, after["droplet_ids"])
    cloud.balancers[before["id"]] = after
    follow(cloud, parts)
    return 200, {"load_balancer": cloud.balancers[before["id"]]}


def remove_balancer(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """Take it away."""
    parts.balancers.remove(cloud.balancers.pop(found(cloud, ask)["id"]))
    return 204, None


def _members(cloud: Cloud, parts: Any, ask: Ask, add: bool) -> Answer:
    balancer, [ids] = found(cloud, ask), ask.need("droplet_ids")
    if balancer["tag"]:
        raise unprocessable("Load balancer is attached by tag; droplets cannot be added or removed by id")
    with cloud.lock:
        if add:
            _known(cloud, ids)
        members = set(balancer["droplet_ids"])
        balancer["droplet_ids"] = sorted(members | set(ids) if add else members - set(ids))
    follow(cloud, parts)
    return 204, None


def add_members(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """Let droplets in."""
    return _members(cloud, parts, ask, True)


def remove_members(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """Take droplets out."""
    return _members(cloud, parts, ask, False)


ROUTES = [
    ("GET", "/v2/load_balancers", "load_balancer:read", list_balancers),
    ("POST", "/v2/load_balancers", "load_balancer:create", create_balancer),
    ("GET", "/v2/load_balancers/{id}", "load_balancer:read", get_balancer),
    ("PUT", "/v2/load_balancers/{id}", "load_balancer:update", update_balancer),
    ("DELETE", "/v2/load_balancers/{id}", "load_balancer:delete", remove_balancer),
    ("POST", "/v2/load_balancers/{id}/droplets", "load_balancer:update", add_members),
    ("DELETE", "/v2/load_balancers/{id}/droplets", "load_balancer:update", remove_members),
]
