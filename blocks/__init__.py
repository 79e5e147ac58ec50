"""Prefect blocks: one outside system a file, its credentials and the client that uses them.

Register them with `python -m prefect block register -m blocks`.
"""

from blocks.caddy import CaddySwitch
from blocks.droplet import Droplet
from blocks.environment import StackEnvironment
from blocks.langfuse import Langfuse
from blocks.prometheus import Prometheus
from blocks.registry import ContainerRegistry
from blocks.traffic import TrafficSwitch

__all__ = [
    "CaddySwitch",
    "ContainerRegistry",
    "Droplet",
    "Langfuse",
    "Prometheus",
    "StackEnvironment",
    "TrafficSwitch",
]
