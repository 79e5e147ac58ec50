"""Reserved addresses."""

from __future__ import annotations

import ipaddress
from typing import Any

from .account import Answer, shown
from .ask import Ask, Json, page
from .cloud import REGIONS, Cloud
from .droplets import official
from .errors import missing, unprocessable


def found(cloud: Cloud, ask: Ask) -> Json:
    """Raises ApiError."""
    if ask.parts["ip"] not in cloud.reserved:
        raise missing()
    return cloud.reserved[ask.parts["ip"]]


def add(cloud: Cloud, ip: str, region: str) -> Json:
    """A new one, assigned to nothing."""
    cloud.reserved[ip] = {"ip": ip, "region": REGIONS[region], "droplet": None, "locked": False,
                          "project_id": "746c6152-2fa2-11ed-92d3-27aaa54e4988"}  # fmt: skip
    return cloud.reserved[ip]


def list_ips(cloud: Cloud, _parts: Any, ask: Ask) -> Answer:
    """All."""
    return 200, page(ask, "reserved_ips", list(cloud.reserved.values()))


def get_ip(cloud: Cloud, _parts: Any, ask: Ask) -> Answer:
    """One."""
    return 200, {"reserved_ip": found(cloud, ask)}


def create_ip(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """One more of a region."""
    region, droplet = ask.body.get("region"), None
    if ask.body.get("droplet_id"):
        droplet = _droplet(cloud, ask.body["droplet_id"])
        region = droplet["region"]["slug"]
    if region not in REGIONS:
        raise unprocessable("region or droplet_id is required")
    if len(cloud.reserved) >= cloud.settings["reserved_ip_limit"]:
        raise unprocessable("You have reached your limit of reserved IPs")
    reserved = add(cloud, parts.addresses.free(set(cloud.reserved)), region)
    links: Json = {"droplets": [], "actions": []}
    if droplet:
        action = _begin(cloud, parts, reserved, "assign", droplet, ask.fault)
        links = {"droplets": [_link("droplets", droplet["id"])], "actions": [_link("actions", action["id"])]}
    return 202, {"reserved_ip": reserved, "links": links}


def _link(what: str, id: int) -> Json:
    return {"id": id, "rel": what.removesuffix("s"), "href": f"https://api.digitalocean.com/v2/{what}/{id}"}


def _droplet(cloud: Cloud, id: Any) -> Json:
    if int(id) not in cloud.droplets:
        raise unprocessable("The droplet could not be found.")
    return cloud.droplets[int(id)]


def remove_ip(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """Give one back."""
    reserved = found(cloud, ask)
    if reserved["locked"]:
        raise unprocessable("Reserved IP is locked by another event.")
    parts.addresses.move(reserved["ip"], _container(cloud, reserved), "")
    del cloud.reserved[reserved["ip"]]
    return 204, None


def _container(cloud: Cloud, reserved: Json) -> str:
    droplet = reserved["droplet"]
    return cloud.droplets.get(droplet["id"], {}).get("_container", "") if droplet else ""


def act(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """Assign it or take it away; locked meanwhile."""
    reserved, [type] = found(cloud, ask), ask.need("type")
    target = None
    if type == "assign":
        target = _droplet(cloud, ask.need("droplet_id")[0])
        if target["region"]["slug"] != reserved["region"]["slug"]:
            raise unprocessable("The droplet is in another region than the reserved IP.")
    elif type != "unassign":
        raise unprocessable(f"{type} is not a valid action type here")
    action = _begin(cloud, parts, reserved, type, target, ask.fault)
    return 201, {"action": {**shown(action), "project_id": reserved["project_id"]}}


def _begin(cloud: Cloud, parts: Any, reserved: Json, type: str, target: Json | None, fault: Json | None) -> Json:
    with cloud.lock:
        if reserved["locked"]:
            raise unprocessable("Reserved IP is locked by another event.")
        reserved["locked"] = True

    def move() -> None:
        try:
            parts.addresses.move(reserved["ip"], _container(cloud, reserved), (target or {}).get("_container", ""))
            reserved["droplet"] = official(target) if target else None
        finally:
            reserved["locked"] = False

    action = cloud.begin(f"{type}_ip", _resource(reserved), "reserved_ip", move, fault)
    if fault and fault["act"] == "error_action":
        reserved["locked"] = False
    return action


def _resource(reserved: Json) -> int:
    """The number by which actions name an address: the address itself."""
    return int(ipaddress.ip_address(reserved["ip"]))


def list_ip_actions(cloud: Cloud, _parts: Any, ask: Ask) -> Answer:
    """What was done to it, newest first."""
    resource = _resource(found(cloud, ask))
    mine = [shown(a) for a in cloud.actions.values()
            if a["resource_type"] == "reserved_ip" and a["resource_id"] == resource]  # fmt: skip
    return 200, page(ask, "actions", mine[::-1])


def get_action(cloud: Cloud, _parts: Any, ask: Ask) -> Answer:
    """An action of it."""
    found(cloud, ask)
    action = cloud.actions.get(ask.number("id"))
    if action is None:
        raise missing()
    return 200, {"action": shown(action)}


ROUTES = [
    ("GET", "/v2/reserved_ips", "reserved_ip:read", list_ips),
    ("POST", "/v2/reserved_ips", "reserved_ip:create", create_ip),
    ("GET", "/v2/reserved_ips/{ip}", "reserved_ip:read", get_ip),
    ("DELETE", "/v2/reserved_ips/{ip}", "reserved_ip:delete", remove_ip),
    ("POST", "/v2/reserved_ips/{ip}/actions", "reserved_ip:update", act),
    ("GET", "/v2/reserved_ips/{ip}/actions", "reserved_ip:read", list_ip_actions),
    ("GET", "/v2/reserved_ips/{ip}/actions/{id}", "reserved_ip:read", get_action),
]
