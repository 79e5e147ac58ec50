"""Load balancers."""

from __future__ import annotations

import uuid
from typing import Any

from .account import Answer
from .ask import Ask, Json, page
from .cloud import REGIONS, Cloud, now
from .errors import missing, unprocessable

CHECK: Json = {"protocol": "http", "port": 80, "path": "/", "check_interval_seconds": 10,
               "response_timeout_seconds": 5, "unhealthy_threshold": 3, "healthy_threshold": 5}  # fmt: skip
RULE: Json = {"entry_protocol": "http", "entry_port": 80, "target_protocol": "http", "target_port": 80,
              "certificate_id": "", "tls_passthrough": False}  # fmt: skip
KEPT_BY_PUT = ("id", "ip", "created_at", "status", "name", "region")


def built(body: Json, kept: Json | None = None) -> Json:
    """A balancer from what was given; what was left out is as by default, also when it was something else before."""
    kept = kept or {}
    return {
        "id": str(uuid.uuid4()), "name": body["name"], "ip": "", "size_unit": 1, "size": "lb-small",
        "algorithm": "round_robin", "status": "new", "created_at": now(),
        "forwarding_rules": [{**RULE, **rule} for rule in body["forwarding_rules"]],
        "health_check": {**CHECK, **(body.get("health_check") or {})}, "sticky_sessions": {"type": "none"},
        "region": REGIONS[body.get("region", "nyc3")], "tag": body.get("tag", ""),
        "droplet_ids": list(body.get("droplet_ids") or []), "redirect_http_to_https": False,
        "enable_proxy_protocol": False, "enable_backend_keepalive": False, "http_idle_timeout_seconds": 60,
        "vpc_uuid": "760e09ef-dc84-11e8-981e-3cfdfeaae000", "disable_lets_encrypt_dns_records": False,
        **{name: body[name] for name in ("sticky_sessions", "redirect_http_to_https", "http_idle_timeout_seconds")
           if name in body},
        **{name: kept[name] for name in KEPT_BY_PUT if name in kept},
    }  # fmt: skip


def follow(cloud: Cloud, parts: Any) -> None:
    """Let every balancer route to what is in it now."""
    with cloud.lock:
        for balancer in cloud.balancers.values():
            if balancer["tag"]:
                tagged = [d["id"] for d in cloud.droplets.values() if balancer["tag"] in d["tags"]]
                balancer["droplet_ids"] = sorted(tagged)
            members = {
                id: cloud.droplets[id]["networks"]["v4"][0]["ip_address"]
                for id in balancer["droplet_ids"]
                if id in cloud.droplets and cloud.droplets[id]["networks"]["v4"]
            }
            balancer["ip"] = parts.balancers.serve(balancer, members) or balancer["ip"]
            balancer["status"] = "active"


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
    if ask.body.get("tag") and ask.body.get("droplet_ids"):
        raise unprocessable("tag and droplet_ids are mutually exclusive")
    balancer = built(ask.body)
    cloud.balancers[balancer["id"]] = balancer
    follow(cloud, parts)
    return 202, {"load_balancer": balancer}


def update_balancer(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """Everything that is left out goes back to its default."""
    before = found(cloud, ask)
    ask.need("name", "forwarding_rules")
    cloud.balancers[before["id"]] = {**built(ask.body, before), "name": ask.body["name"]}
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
        for id in ids:
            if add and id not in cloud.droplets:
                raise unprocessable(f"droplet {id} does not exist")
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
