"""Puts proposals into the text of a compose file: whole lines are added, and nothing else of it changes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from flows.core.control.beginning.proposal import FIELD, Proposal
from flows.core.errors import BrokenStack
from flows.core.stack.compose_files import documents_of, root_nodes

_MERGE = "tag:yaml.org,2002:merge"


@dataclass(frozen=True)
class Edited:
    """A compose file's text with proposals in it.

    Args:
        placed: the services whose proposal is in it.
        unplaced: proposals for which there is no place: their service is an alias, or another would change with it.
    """

    content: str
    placed: tuple[str, ...]
    unplaced: tuple[Proposal, ...]


@dataclass(frozen=True)
class Spot:
    """Where a service's mapping ends: an index of the text, and its keys' column; None in flow style."""

    at: int
    column: int | None
    whole_line: bool = False


@dataclass
class _Open:
    """A collection that is being read: what its next node is, and where its first key stands."""

    mapping: bool
    flow: bool
    key: str | None = None
    first_column: int | None = None


def with_proposals(content: str, proposals: Mapping[str, Proposal]) -> Edited:
    """The text with these proposals, checked by reading it again: it is the old one and exactly these fields.

    Where all of them together do not fit, each is tried alone.
    """
    spots = service_spots(content)
    placeable = {name: one for name, one in proposals.items() if name in spots}
    edited = _inserted(content, spots, placeable)
    if placeable and not _is_exactly(content, edited, placeable):
        for name in list(placeable):
            alone = {name: placeable[name]}
            if not _is_exactly(content, _inserted(content, spots, alone), alone):
                del placeable[name]
        edited = _inserted(content, spots, placeable)
        if not _is_exactly(content, edited, placeable):
            placeable, edited = {}, content
    unplaced = tuple(one for name, one in proposals.items() if name not in placeable)
    return Edited(edited if placeable else content, tuple(placeable), unplaced)


def service_spots(content: str) -> dict[str, Spot]:
    """Service → where its mapping ends. A service that is an alias, or no mapping, has none."""
    found: dict[str, Spot] = {}
    stack: list[_Open] = []
    last, whole = 0, False
    event: Any
    for event in _events(content):
        start, end = event.start_mark, event.end_mark
        if isinstance(event, yaml.CollectionEndEvent):
            opened = stack.pop()
            if _is_service(stack) and opened.mapping and opened.first_column is not None:
                at = start.index if opened.flow else last
                spot = Spot(at, None if opened.flow else opened.first_column, whole and not opened.flow)
                found.setdefault(stack[-1].key or "", spot)
            if opened.flow:
                last, whole = end.index, False
            _done(stack)
        elif isinstance(event, yaml.NodeEvent):
            if stack and stack[-1].mapping and stack[-1].key is None and stack[-1].first_column is None:
                stack[-1].first_column = start.column
            if isinstance(event, yaml.CollectionStartEvent):
                stack.append(_Open(isinstance(event, yaml.MappingStartEvent), bool(event.flow_style)))
                continue
            text = event.value if isinstance(event, yaml.ScalarEvent) else ""
            # A literal block ends where the next line begins; everything else ends within a line.
            whole = isinstance(event, yaml.ScalarEvent) and event.style in ("|", ">") and not end.column
            last = end.index
            _done(stack, text)
    return found


def _events(content: str) -> Iterator[Any]:
    """The events of a text as `root_nodes` reads it."""
    root_nodes(content)
    try:
        yield from list(yaml.parse(content, Loader=yaml.SafeLoader))
    except yaml.YAMLError:
        yield from yaml.parse(content.replace("\t", " "), Loader=yaml.SafeLoader)


def _is_service(stack: list[_Open]) -> bool:
    return len(stack) == 2 and stack[0].key == "services" and stack[1].mapping and stack[1].key is not None


def _done(stack: list[_Open], text: str = "") -> None:
    """A node has ended: in a mapping it was a key, or the value of one."""
    if stack and stack[-1].mapping:
        stack[-1].key = text if stack[-1].key is None else None


def _inserted(content: str, spots: Mapping[str, Spot], proposals: Mapping[str, Proposal]) -> str:
    """The text with the proposals, and with an empty field where a service would take over another's by a merge."""
    empty = {name: Proposal(name, {}) for name in _heirs(content, proposals) if name in spots}
    for name, one in sorted({**empty, **proposals}.items(), key=lambda item: spots[item[0]].at, reverse=True):
        content = _with_one(content, spots[name], one)
    return content


def _with_one(content: str, spot: Spot, proposal: Proposal) -> str:
    if spot.column is None:
        before = content[: spot.at]
        comma = "" if before.rstrip().endswith((",", "{")) else ", "
        return f"{before}{comma}{proposal.flow()}{content[spot.at :]}"
    end = "\r\n" if "\r\n" in content else "\n"
    lines = end.join(proposal.block(spot.column))
    if spot.whole_line:
        return f"{content[: spot.at]}{lines}{end}{content[spot.at :]}"
    at = content.find("\n", spot.at) + 1
    return f"{content[:at]}{lines}{end}{content[at:]}" if at else f"{content}{end}{lines}"


def _heirs(content: str, proposals: Mapping[str, Proposal]) -> set[str]:
    """Services without a proposal or a field of their own that merge in (`<<`) a service that is to have one."""
    found: set[str] = set()
    for root in root_nodes(content):
        services = _value(root, "services")
        if not isinstance(services, yaml.MappingNode):
            continue
        bases = {id(value) for key, value in services.value if key.value in proposals}
        for key, value in services.value:
            if key.value not in proposals and _value(value, FIELD) is None and _merged(value) & bases:
                found.add(str(key.value))
    return found


def _value(node: yaml.Node, name: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for key, value in pairs if key.value == name), None)


def _merged(node: yaml.Node) -> set[int]:
    """The mappings that are merged into this one, each by its identity."""
    found: set[int] = set()
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.tag == _MERGE or key.value == "<<":
            for other in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                found |= {id(other), *_merged(other)}
    return found


def _is_exactly(before: str, after: str, proposals: Mapping[str, Proposal]) -> bool:
    """Whether the one text means the other and these proposals, and nothing else."""
    try:
        old, new = documents_of("", before), documents_of("", after)
    except BrokenStack:
        return False
    if len(old) != len(new):
        return False
    seen: set[str] = set()
    for document, edited in zip(old, new, strict=True):
        was, now = _services_of(document), _services_of(edited)
        for name, spec in now.items():
            if not isinstance(spec, dict) or FIELD in (was.get(name) or {}):
                continue
            said = spec.pop(FIELD, None)
            if name in proposals and said is not None:
                seen.add(name)
            if said not in (None, {}) and (name not in proposals or said != proposals[name].as_written()):
                return False
        if document != edited:
            return False
    return seen == set(proposals)


def _services_of(document: Mapping[str, Any]) -> dict[str, Any]:
    services = document.get("services")
    return services if isinstance(services, dict) else {}
