"""Droplets, and what is done to them."""

from __future__ import annotations

import threading
import time
from typing import Any

from .account import Answer, shown
from .ask import Ask, Json, page
from .balancers import follow
from .cloud import REGIONS, Cloud, now
from .errors import ApiError, missing, unprocessable

PRICES = {"s-1vcpu-1gb": (6.0, 0.00893, 1024, 1, 25), "s-2vcpu-4gb": (24.0, 0.03571, 4096, 2, 80)}
IMAGES = {"debian-13-x64": ("Debian", "13 x64"), "ubuntu-24-04-x64": ("Ubuntu", "24.04 (LTS) x64")}
POWER = {"shutdown": "off", "power_off": "off", "power_on": "active", "reboot": "active", "power_cycle": "active"}


def official(droplet: Json) -> Json:
    """A droplet as the API describes it."""
    return {name: value for name, value in droplet.items() if not name.startswith("_")}


def size(slug: str) -> Json:
    """A size with its price."""
    monthly, hourly, memory, cpus, disk = PRICES[slug]
    return {
        "slug": slug, "memory": memory, "vcpus": cpus, "disk": disk, "transfer": 4.0, "price_monthly": monthly,
        "price_hourly": hourly, "regions": list(REGIONS), "available": True, "description": "Basic",
    }  # fmt: skip


def image(slug: str, snapshot: Json | None = None) -> Json:
    """The image a droplet was made of."""
    if snapshot:
        return {"id": int(snapshot["id"]), "name": snapshot["name"], "type": "snapshot", "distribution": "Debian",
                "slug": None, "public": False, "regions": snapshot["regions"], "created_at": snapshot["created_at"],
                "min_disk_size": snapshot["min_disk_size"], "size_gigabytes": snapshot["size_gigabytes"],
                "description": "", "tags": snapshot["tags"], "status": "available", "error_message": ""}  # fmt: skip
    distribution, name = IMAGES[slug]
    return {"id": 100 + list(IMAGES).index(slug), "name": name, "type": "base", "distribution": distribution,
            "slug": slug, "public": True, "regions": list(REGIONS), "created_at": "2026-01-01T00:00:00Z",
            "min_disk_size": 7, "size_gigabytes": 0.6, "description": "", "tags": [], "status": "available",
            "error_message": ""}  # fmt: skip


def made(cloud: Cloud, name: str, slug: str, region: str, base: Json, tags: list[str]) -> Json:
    """A new droplet of the account."""
    _, _, memory, cpus, disk = PRICES[slug]
    droplet: Json = {
        "id": cloud.new_id(), "name": name, "memory": memory, "vcpus": cpus, "disk": disk, "locked": False,
        "status": "new", "kernel": None, "created_at": now(), "features": ["droplet_agent", "private_networking"],
        "backup_ids": [], "next_backup_window": None, "snapshot_ids": [], "image": base, "volume_ids": [],
        "size": size(slug), "size_slug": slug, "networks": {"v4": [], "v6": []}, "region": REGIONS[region],
        "tags": sorted(tags), "vpc_uuid": "760e09ef-dc84-11e8-981e-3cfdfeaae000",
    }  # fmt: skip
    cloud.droplets[droplet["id"]] = droplet
    cloud.tags |= set(tags)
    return droplet


def settle(droplet: Json, ip: str) -> None:
    """It is there, with its address."""
    droplet["networks"]["v4"] = [
        {"ip_address": ip, "netmask": "255.255.0.0", "gateway": ip.rpartition(".")[0] + ".1", "type": kind}
        for kind in ("public", "private")
    ]
    droplet["status"] = "active"


def found(cloud: Cloud, id: int) -> Json:
    """Raises ApiError."""
    if id not in cloud.droplets:
        raise missing("The resource you requested could not be found.")
    return cloud.droplets[id]


def list_droplets(cloud: Cloud, _parts: Any, ask: Ask) -> Answer:
    """All, or those of a name or a tag."""
    name, tag = ask.query.get("name"), ask.query.get("tag_name")
    chosen = [d for d in cloud.droplets.values() if name in (None, d["name"]) and (tag is None or tag in d["tags"])]
    return 200, page(ask, "droplets", [official(d) for d in chosen])


def get_droplet(cloud: Cloud, _parts: Any, ask: Ask) -> Answer:
    """One droplet."""
    return 200, {"droplet": official(found(cloud, ask.number("id")))}


def create_droplet(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """Make one; it is active after a while."""
    name, slug, base = ask.need("name", "size", "image")
    region = ask.body.get("region", "nyc3")
    snapshot = cloud.snapshots.get(str(base))
    if slug not in PRICES:
        raise unprocessable("You specified an invalid size for Droplet creation.")
    if region not in REGIONS:
        raise unprocessable("You specified an invalid region for Droplet creation.")
    if not snapshot and base not in IMAGES:
        raise unprocessable("You specified an invalid image for Droplet creation.")
    with cloud.lock:
        if len(cloud.droplets) >= cloud.settings["droplet_limit"]:
            raise ApiError(422, "creating this/these droplet(s) will exceed your droplet limit")
        droplet = made(cloud, name, slug, region, image(str(base), snapshot), list(ask.body.get("tags") or []))
    given = {"keys": ask.body.get("ssh_keys") or [], "user_data": ask.body.get("user_data") or ""}

    def start() -> None:
        droplet["_container"], ip = parts.engine.create(droplet["id"], name, snapshot and snapshot["id"], **given)
        settle(droplet, ip)
        follow(cloud, parts)  # one of its tags may be a balancer's

    action = cloud.begin("create", droplet["id"], "droplet", start, ask.fault)
    link = {"id": action["id"], "rel": "create", "href": f"https://api.digitalocean.com/v2/actions/{action['id']}"}
    return 202, {"droplet": official(droplet), "links": {"actions": [link]}}


def destroy_droplet(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """Take it away, for good."""
    droplet = found(cloud, ask.number("id"))
    with cloud.lock:
        for balancer in cloud.balancers.values():
            balancer["droplet_ids"] = [id for id in balancer["droplet_ids"] if id != droplet["id"]]
        for reserved in cloud.reserved.values():
            if reserved["droplet"] and reserved["droplet"]["id"] == droplet["id"]:
                reserved["droplet"] = None
        droplet["_leaving"] = True
    follow(cloud, parts)

    def remove() -> None:
        time.sleep(float(cloud.settings["action_seconds"]) / 2)
        parts.engine.destroy(droplet["id"], droplet.get("_container", ""))
        with cloud.lock:
            cloud.droplets.pop(droplet["id"], None)

    threading.Thread(target=remove, daemon=True).start()
    return 204, None


def act(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """Do something to a droplet."""
    droplet, [type] = found(cloud, ask.number("id")), ask.need("type")
    if any(a["resource_id"] == droplet["id"] and a["status"] == "in-progress" for a in cloud.actions.values()):
        raise unprocessable("Droplet already has a pending event.")
    if type in POWER:
        container = droplet.get("_container", "")

        def work() -> None:
            if ip := parts.engine.power(container, type):
                settle(droplet, ip)
                follow(cloud, parts)
            droplet["status"] = POWER[type]

    elif type == "snapshot":
        from .snapshots import take  # noqa: PLC0415 — a snapshot needs its droplet, and the other way round

        name = ask.body.get("name") or f"{droplet['name']}-{int(time.time())}"

        def work() -> None:
            take(cloud, parts, droplet, name)

    else:
        raise unprocessable(f"{type} is not a valid action type here")
    return 201, {"action": shown(cloud.begin(type, droplet["id"], "droplet", work, ask.fault))}


def list_droplet_actions(cloud: Cloud, _parts: Any, ask: Ask) -> Answer:
    """What was done to it, newest first."""
    id = found(cloud, ask.number("id"))["id"]
    mine = [shown(a) for a in cloud.actions.values() if a["resource_type"] == "droplet" and a["resource_id"] == id]
    return 200, page(ask, "actions", mine[::-1])


def list_firewalls(cloud: Cloud, _parts: Any, ask: Ask) -> Answer:
    """The firewalls that guard it."""
    droplet = found(cloud, ask.number("id"))
    guarding = [
        {"inbound_rules": [], "outbound_rules": [], "pending_changes": [], "created_at": now(), "status": "succeeded",
         "droplet_ids": [], "tags": [], **wall}
        for wall in cloud.settings["firewalls"]
        if droplet["id"] in wall.get("droplet_ids", []) or set(wall.get("tags", [])) & set(droplet["tags"])
    ]  # fmt: skip
    return 200, page(ask, "firewalls", guarding)


ROUTES = [
    ("GET", "/v2/droplets", "droplet:read", list_droplets),
    ("POST", "/v2/droplets", "droplet:create", create_droplet),
    ("GET", "/v2/droplets/{id}", "droplet:read", get_droplet),
    ("DELETE", "/v2/droplets/{id}", "droplet:delete", destroy_droplet),
    ("GET", "/v2/droplets/{id}/actions", "droplet:read", list_droplet_actions),
    ("POST", "/v2/droplets/{id}/actions", "droplet:update", act),
    ("GET", "/v2/droplets/{id}/firewalls", "firewall:read", list_firewalls),
]
