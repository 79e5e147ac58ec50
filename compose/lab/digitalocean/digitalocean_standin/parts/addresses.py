"""Addresses that move, reserved or of a balancer: one more address of a container on the lab's network."""

from __future__ import annotations

import ipaddress
import json

from .docker import docker, inspect

# From the upper end of the network: the engine gives out the lower one.
RESERVED, BALANCERS = range(10, 100), range(100, 200)


class Addresses:
    """Addresses of the lab's network that no container was given."""

    def __init__(self, lab: str) -> None:
        self._lab = lab

    def free(self, taken: set[str], numbers: range = RESERVED) -> str:
        """One that nothing has.

        Args:
            numbers: how far from the end of the network.
        """
        config = json.loads(docker("network", "inspect", self._lab))[0]["IPAM"]["Config"][0]
        network = ipaddress.ip_network(config["Subnet"])
        for number in numbers:
            candidate = str(network.broadcast_address - number)
            if candidate not in taken:
                return candidate
        raise RuntimeError("no address is left")

    def move(self, ip: str, source: str, target: str) -> None:
        """Take it from one container and give it to another; '' is none. Neighbours are told at once."""
        if source and inspect(source).get("State", {}).get("Running"):
            docker("exec", "--privileged", source, "ip", "addr", "del", f"{ip}/32", "dev", "eth0", check=False)
        if target:
            docker("exec", "--privileged", target, "ip", "addr", "replace", f"{ip}/32", "dev", "eth0")
            docker("exec", target, "arping", "-A", "-c", "1", "-I", "eth0", ip, check=False)
            docker("exec", target, "arping", "-U", "-c", "1", "-I", "eth0", ip, check=False)
