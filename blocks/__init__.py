"""Prefect blocks: one outside system a file, its credentials and the client that uses them.

Register them with `python -m prefect block register -m blocks`. Each is imported when it is first asked for: a client
does not need Prefect, whose import takes seconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from blocks.digitalocean.account import DigitalOceanAccount
    from blocks.droplet import Droplet
    from blocks.environment import StackEnvironment
    from blocks.langfuse import Langfuse
    from blocks.prometheus import Prometheus
    from blocks.registry.container_registry import ContainerRegistry
    from blocks.registry.docr import DocrRegistry
    from blocks.signing.signing_key import SigningKey
    from blocks.signing.trusted_keys import TrustedKeys
    from blocks.traffic.caddy import CaddySwitch
    from blocks.traffic.dns_record import DnsSwitch
    from blocks.traffic.load_balancer import LoadBalancerSwitch
    from blocks.traffic.reserved_ip import ReservedIpSwitch
    from blocks.traffic.switch import TrafficSwitch

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
    "SigningKey",
    "StackEnvironment",
    "TrafficSwitch",
    "TrustedKeys",
]
_MODULES = {
    "CaddySwitch": "traffic.caddy",
    "ContainerRegistry": "registry.container_registry",
    "DigitalOceanAccount": "digitalocean.account",
    "DnsSwitch": "traffic.dns_record",
    "DocrRegistry": "registry.docr",
    "Droplet": "droplet",
    "Langfuse": "langfuse",
    "LoadBalancerSwitch": "traffic.load_balancer",
    "Prometheus": "prometheus",
    "ReservedIpSwitch": "traffic.reserved_ip",
    "SigningKey": "signing.signing_key",
    "StackEnvironment": "environment",
    "TrafficSwitch": "traffic.switch",
    "TrustedKeys": "signing.trusted_keys",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"blocks has no {name}")
    return getattr(import_module(f"blocks.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, *globals()]
