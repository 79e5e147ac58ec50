"""Prefect blocks: one outside system a file, its credentials and the client that uses them.

Register them with `python -m prefect block register -m blocks`. Each is imported when it is first asked for: a client
does not need Prefect, whose import takes seconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from blocks.caddy import CaddySwitch
    from blocks.digitalocean.account import DigitalOceanAccount
    from blocks.dns import DnsSwitch
    from blocks.docr import DocrRegistry
    from blocks.droplet import Droplet
    from blocks.environment import StackEnvironment
    from blocks.langfuse import Langfuse
    from blocks.load_balancer import LoadBalancerSwitch
    from blocks.prometheus import Prometheus
    from blocks.registry import ContainerRegistry
    from blocks.reserved_ip import ReservedIpSwitch
    from blocks.traffic import TrafficSwitch

__all__ = [
    "CaddySwitch",
    "ContainerRegistry",
    "DigitalOceanAccount",
    "DnsSwitch",
    "DocrRegistry",
    "Droplet",
    "Langfuse",
    "LoadBalancerSwitch",
    "Prometheus",
    "ReservedIpSwitch",
    "StackEnvironment",
    "TrafficSwitch",
]
_ROOMS = {
    "CaddySwitch": "caddy",
    "ContainerRegistry": "registry",
    "DigitalOceanAccount": "digitalocean.account",
    "DnsSwitch": "dns",
    "DocrRegistry": "docr",
    "Droplet": "droplet",
    "Langfuse": "langfuse",
    "LoadBalancerSwitch": "load_balancer",
    "Prometheus": "prometheus",
    "ReservedIpSwitch": "reserved_ip",
    "StackEnvironment": "environment",
    "TrafficSwitch": "traffic",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"blocks has no {name}")
    return getattr(import_module(f"blocks.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, *globals()]
