"""What the lab's account has from the beginning: its own machines, a balancer, a domain, an address, a registry."""

from __future__ import annotations

import time
from typing import Any

from . import balancers, registries, reserved_ips
from .cloud import Cloud
from .droplets import image, made, official, settle
from .parts.docker import address

MACHINES = ("green", "blue", "data")
REGISTRY, BALANCER, DOMAIN, RECORD = "slipway-lab", "agents", "agents.lab", "app"
PATIENCE = 60.0


def furnish(cloud: Cloud, parts: Any, lab: str) -> None:
    """Register the lab's machines, and all traffic at green."""
    ids = {}
    for name in MACHINES:
        droplet = made(cloud, name, "s-2vcpu-4gb", "nyc3", image("debian-13-x64"), ["agents"])
        droplet["_container"] = f"{lab}-{name}"
        settle(droplet, _address(droplet["_container"], lab))
        ids[name] = droplet["id"]
    registries.add(cloud, REGISTRY)
    balancer = balancers.built({
        "name": BALANCER, "forwarding_rules": [{"entry_port": 80, "target_port": 8000}],
        "health_check": {"port": 8000, "path": "/health", "check_interval_seconds": 3, "healthy_threshold": 2,
                         "response_timeout_seconds": 3, "unhealthy_threshold": 2},
        "droplet_ids": [ids["green"]],
    })  # fmt: skip
    balancer["status"] = "active"
    cloud.balancers[balancer["id"]] = balancer
    balancers.follow(cloud, parts)
    ip = cloud.droplets[ids["green"]]["networks"]["v4"][0]["ip_address"]
    record = {"id": cloud.new_id(), "type": "A", "name": RECORD, "data": ip, "ttl": 60, "priority": None, "port": None,
              "weight": None, "flags": None, "tag": None}  # fmt: skip
    cloud.domains[DOMAIN] = [record]
    parts.names.write(cloud.domains)
    reserved = reserved_ips.add(cloud, parts.addresses.free(set()), "nyc3")
    for name in MACHINES:
        parts.addresses.move(reserved["ip"], f"{lab}-{name}", "")
    parts.addresses.move(reserved["ip"], "", f"{lab}-green")
    reserved["droplet"] = official(cloud.droplets[ids["green"]])


def _address(container: str, network: str) -> str:
    """It may be starting at the same time as we are."""
    deadline = time.monotonic() + PATIENCE
    while not (found := address(container, network)):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{container} has no address on {network}")
        time.sleep(0.2)
    return found
