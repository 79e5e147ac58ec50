"""What two colours of a stack cannot both have on one droplet: refused with its line, and the choices there are."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from flows.core.errors import NotSideBySide
from flows.core.stack.service_fields import at_home
from flows.core.stack.side_by_side.facts import SideBySide
from flows.core.stack.side_by_side.ports_taken import exposed_findings, port_findings
from flows.core.stack.side_by_side.ties_between import data_findings, network_findings, tie_findings

Locate = Callable[[str, Sequence[str], str], str]
_LINE = re.compile(r":[0-9]+$")


def refuse_shared(config: Mapping[str, Any], locate: Locate, host_paths: Collection[str] = ()) -> None:
    """Refuse a stack of which one droplet cannot run two colours beside each other.

    Args:
        config: the stack as Compose resolved it.
        locate: returns `FILE:LINE` of a word in fields of a service.
        host_paths: mounts that are the droplet's own, absolute.

    Raises:
        NotSideBySide: one message with every finding.
    """
    home = at_home(config)
    found = [
        *exposed_findings(config, home),
        *port_findings(config, home),
        *tie_findings(config, home),
        *network_findings(config, home),
        *data_findings(config, home, host_paths),
    ]
    if found:
        listed = "; ".join(f"{_place(locate, *finding[:3])} {finding[3]}" for finding in found)
        raise NotSideBySide(f"two colours of stack {config['name']} cannot run on one droplet: {listed}")


def side_by_side_notes(facts: SideBySide) -> tuple[str, ...]:
    """What is done otherwise in the colours than the compose file says, in sentences."""
    said = []
    for name, exposed in facts.exposed.items():
        served = ", ".join(f"{host}{exposed.path if exposed.path != '/' else ''}" for host in exposed.hosts)
        said.append(f"{name} publishes no port of the droplet: the edge serves it as {served}")
    for name, container in facts.containers.items():
        said.append(f"the container of {name} is {container}-green or {container}-blue, still found as {container}")
    for key, network in facts.networks.items():
        if network.shared:
            there = ", ".join(network.home)
            said.append(
                f"network {key}: each colour has its own, made by the data home, on which it finds {there}. "
                f"Whoever of {there} calls a service of the colours by its name may reach either colour"
            )
    said += [f"volume {key} ({name}): each colour has its own" for key, name in facts.volumes.items()]
    said += [f"{name} has no links to the data home: it finds what is there by the same names" for name in facts.links]
    return tuple(said)


def _place(locate: Locate, service: str, field: str, word: str) -> str:
    """The line of a word; of the field, where Compose made the word of others (a range, a variable)."""
    place = locate(service, [field], word)
    return place if _LINE.search(place) else locate(service, [field], "")
