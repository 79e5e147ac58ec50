"""Proposes the `x-slipway` of each service of a stack that has none, from what the service says of itself."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.core.control.beginning.facts import (
    container_ports,
    health_of,
    keeps_state,
    mcp_port,
    named_volumes,
    own_directories,
    published_ports,
    speaks_mcp,
)
from flows.core.control.beginning.images import KnownImage, known_image
from flows.core.stack.service_fields import ties

FIELD = "x-slipway"
_PLAIN = re.compile(r"/?[A-Za-z0-9][A-Za-z0-9._~/-]*|/")
_WEB = frozenset({80, 443, 3000, 3001, 4000, 4200, 5000, 5173, 8000, 8001, 8008, 8080, 8081, 8088, 8443, 8888, 9000})
_TRY = "# {}  # uncomment and fit what is true"


@dataclass(frozen=True)
class Proposal:
    """The `x-slipway` of one service: its fields, and what only a person knows, as comments.

    Args:
        asks: comments that stand below the fields.
        why: where the fields come from, in words.
    """

    service: str
    fields: Mapping[str, Any] = field(hash=False)
    asks: tuple[str, ...] = ()
    why: tuple[str, ...] = ()

    def block(self, column: int) -> tuple[str, ...]:
        """Its lines in block style, indented so far."""
        if not self.fields:
            return (f"{' ' * column}{FIELD}: {{}}",)
        lines = [f"{FIELD}:", *(f"  {key}: {_scalar(value)}" for key, value in self.fields.items())]
        return tuple(" " * column + line for line in (*lines, *(f"  {ask}" for ask in self.asks)))

    def flow(self) -> str:
        """The same in flow style, where comments have no place."""
        return f'"{FIELD}": {json.dumps(dict(self.fields))}'

    def as_written(self) -> dict[str, str]:
        """The fields as the project's reader of compose files gives them: every scalar as its text."""
        return {key: str(value) for key, value in self.fields.items()}


def propose(services: Mapping[str, Mapping[str, Any]]) -> dict[str, Proposal]:
    """Service → its proposal, where there is anything to propose.

    Args:
        services: as they are written, what they extend included; those with an `x-slipway` get none.
    """
    open_ones = {name for name, spec in services.items() if FIELD not in spec}
    home = _at_home(services, open_ones)
    found = {name: _proposal(name, services[name], name in home) for name in services if name in open_ones}
    return {name: one for name, one in found.items() if one.fields}


def unsaid_state(services: Mapping[str, Mapping[str, Any]], proposals: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Service → paths of the host that it may write to, of which nobody says where its state lives."""
    proposed = set(proposals)
    return {
        name: own_directories(spec)
        for name, spec in services.items()
        if FIELD not in spec and own_directories(spec) and not (name in proposed and keeps_state(spec))
    }


def _at_home(services: Mapping[str, Mapping[str, Any]], open_ones: set[str]) -> set[str]:
    """The services that are to run on the data home: those that keep state, and what cannot be apart from them."""
    said = {name for name, spec in services.items() if _data(spec) == "home"}
    together = [{name, other} for name, spec in services.items() for _, _, other in _ties(spec) if other in services]
    sharing: dict[str, set[str]] = {}
    for name, spec in services.items():
        for volume in named_volumes(spec):
            sharing.setdefault(volume, set()).add(name)
    groups = _joined([*({name} for name in services), *together, *sharing.values()])
    home: set[str] = set()
    for group in groups:
        settled = group - open_ones
        if group & said or (not settled and any(keeps_state(services[name]) for name in group)):
            home |= group & open_ones if settled <= said else set()
    return home


def _joined(groups: Iterable[set[str]]) -> list[set[str]]:
    """Groups with a common member made one."""
    found: list[set[str]] = []
    for group in groups:
        touching = [one for one in found if one & group]
        found = [one for one in found if not one & group]
        found.append(set(group).union(*touching))
    return found


def _data(spec: Mapping[str, Any]) -> str:
    extension = spec.get(FIELD)
    return str(extension.get("data") or "") if isinstance(extension, Mapping) else ""


def _ties(spec: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """Its ties to other services; fields that are not as Compose wants them have none."""
    lists = {key: spec[key] for key in ("volumes_from", "links") if isinstance(spec.get(key), list)}
    words = {
        key: spec[key] for key in ("network_mode", "ipc", "pid", "uts", "cgroup") if isinstance(spec.get(key), str)
    }
    build = spec.get("build")
    contexts = build.get("additional_contexts") if isinstance(build, Mapping) else None
    built = {"build": {"additional_contexts": contexts}} if isinstance(contexts, Mapping) else {}
    return tuple(ties({**lists, **words, **built}))


def _proposal(name: str, spec: Mapping[str, Any], at_home: bool) -> Proposal:
    fields: dict[str, Any] = {}
    why: list[str] = []
    known = known_image(str(spec.get("image") or ""))
    ports = container_ports(spec)
    web = _web_port(spec, known)
    if spec.get("network_mode") != "none":
        _add_probes(fields, why, name, spec, known, web)
    if at_home:
        fields["data"] = "home"
        kept = ", ".join(f"volume {one}" for one in named_volumes(spec))
        why.append(f"keeps {kept}" if kept else "keeps state" if keeps_state(spec) else "tied to what keeps state")
    port = fields.get("port") or web or (ports[0] if ports else 0)
    asks = []
    if fields and "health" not in fields and web:
        asks.append(_TRY.format("health: /health"))
    if web and not at_home:
        asks.append(_TRY.format(f"expose: {{host: www.example.com, port: {web}}}"))
    if fields and port and not at_home and known is None and "data" not in fields:
        asks.append(_TRY.format('workflow: {post: /ask, body: {question: "ping"}, expect: answer}'))
    if at_home and keeps_state(spec):
        asks.append("# data: disposable for a cache that may be lost, per-colour where each colour has its own")
    return Proposal(name, fields, tuple(asks), tuple(why))


def _add_probes(
    fields: dict[str, Any],
    why: list[str],
    name: str,
    spec: Mapping[str, Any],
    known: KnownImage | None,
    web: int,
) -> None:
    """Port, health and MCP, from the best source there is: healthcheck, image, name."""
    ports = container_ports(spec)
    if checked := health_of(spec):
        fields["port"], fields["health"] = checked
        why.append("health by its healthcheck")
    elif known and known.health:
        fields["port"], fields["health"] = known.port, known.health
        why.append("health by its image")
    if not known and speaks_mcp(name, spec):
        at = mcp_port(spec) or fields.get("port") or (ports[0] if len(ports) == 1 else 0)
        if at and fields.get("port", at) == at:
            fields["port"], fields["mcp"] = at, "/mcp"
            why.append("MCP by its name, a label or a variable")
    if web and not fields:
        fields["port"] = web
        why.append("a port for people")


def _web_port(spec: Mapping[str, Any], known: KnownImage | None) -> int:
    """The port inside the container that people reach by a port as the web has them; 0 if there is none."""
    if known and not known.web:
        return 0
    open_ports = [one for one in published_ports(spec) if one.target != 443 and {one.target, one.host} & _WEB]
    return open_ports[0].target if open_ports else 0


def _scalar(value: Any) -> str:
    text = str(value)
    return text if isinstance(value, int) or _PLAIN.fullmatch(text) else json.dumps(text)
