"""The sections of an explanation, as lists for a terminal."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from flows.cli.terminal.lists import SummaryList

if TYPE_CHECKING:
    from flows.core.explanation.explanation import ExplainedService, ExplainedVariable, Explanation, Remark

_FEW, _MANY = 8, 40
_SOURCES = {"slipway": "Slipway", "default": "default in the file"}


def explanation_sections(explanation: "Explanation", *, wide: bool) -> Iterator[tuple[str, SummaryList]]:
    """Title and list of each section, in the order in which a newcomer asks; a list may be empty.

    Args:
        wide: long lists of names are not shortened.
    """
    yield "Services: what runs, and what restarts it beside a new image or definition", _services(explanation, wide)
    yield "Variables: where each value comes from", _variables(explanation.variables, wide)
    yield "Variables that steer Compose", _remarks(explanation.steering)
    yield "Env files, secrets and configs: where the content comes from", _contents(explanation, wide)
    yield "Mounts", _mounts(explanation, wide)
    yield "Networks and ports", _remarks(explanation.reach)
    yield "Other than plain Compose, on purpose", _remarks(explanation.differences)
    yield "What a promotion to a second colour would need", _promotion(explanation)


def _services(explanation: "Explanation", wide: bool) -> SummaryList:
    listed = _grouped(
        (service.name, (_image(service), *_restarts(service, wide), *(f"probed: {probe}" for probe in service.probes)))
        for service in explanation.services
    )
    ready: dict[str, list[str]] = {}
    for service in explanation.services:
        if not service.probes:
            ready.setdefault(service.ready, []).append(service.name)
    if ready:
        listed.add("not probed", *(f"{_few(names, wide)}: {words}" for words, names in ready.items()))
    if explanation.switched_off:
        off = [f"{remark.text} (profile {remark.subject})" for remark in explanation.switched_off]
        listed.add("switched off", *off)
    return listed


def _image(service: "ExplainedService") -> str:
    words = [f"{service.image}, from elsewhere"]
    if service.published_as:
        words = [f"built here, published as {service.published_as}"]
    words += [f"{service.replicas} replicas"] * (service.replicas != 1)
    words += [f"profile {profile}" for profile in service.profiles]
    return "; ".join(words)


def _restarts(service: "ExplainedService", wide: bool) -> Iterator[str]:
    parts = [
        (service.variables, "variable"), (service.files, "file"), (service.environment_files, "env file"),
        (service.secrets, "secret"), (service.configs, "config"),
    ]  # fmt: skip
    found = [f"{kind}{'s' * (len(names) > 1)} {_few(names, wide)}" for names, kind in parts if names]
    found += [f"a restart of {name}" for name in service.services]
    if found:
        yield f"restarts with {'; '.join(found)}"
    if service.every_release:
        yield f"restarts at every release: {' and '.join(service.every_release)} stands in it beside its image"


def _variables(variables: Sequence["ExplainedVariable"], wide: bool) -> SummaryList:
    found: dict[str, list[str]] = {}
    for one in variables:
        if one.origin == "nobody":
            continue
        source = _SOURCES.get(one.origin, f"{one.source}{' (include)' * (one.origin == 'include')}")
        found.setdefault(source, []).append(f"{one.name} ({one.remark})" if one.remark else one.name)
    listed = SummaryList()
    for source, names in sorted(found.items(), key=lambda row: row[0] in _SOURCES.values()):
        listed.add(source, _few(names, wide, _MANY))
    nobody = []
    for one in variables:
        if one.origin == "nobody":
            place = f"{one.name} at {one.source}" if one.source else one.name
            nobody.append(f"{place}: {'; '.join(filter(None, ('refused' if one.refused else '', one.remark)))}")
    if nobody:
        listed.add("nobody", *nobody)
    return listed


def _contents(explanation: "Explanation", wide: bool) -> SummaryList:
    listed = SummaryList()
    for one in explanation.contents:
        given = f"; for {_few(one.services, wide)}" if one.services else ""
        built = f"; for builds of {_few(one.builds, wide)}" if one.builds else ""
        listed.add(one.name, f"{one.kind}: {one.source}{given}{built}")
    return listed


def _mounts(explanation: "Explanation", wide: bool) -> SummaryList:
    listed = SummaryList()
    for one in explanation.mounts:
        places: dict[str, list[str]] = {}
        for service, target in one.mounted.items():
            places.setdefault(target, []).append(service)
        shown = "; ".join(f"{target} in {_few(services, wide)}" for target, services in places.items())
        listed.add(one.source, one.what, *one.notes, shown)
    return listed


def _promotion(explanation: "Explanation") -> SummaryList:
    listed = _remarks(explanation.promotion)
    if not explanation.promotion and explanation.services:
        listed.add("nothing", "no service keeps state without saying where it lives")
    return listed


def _remarks(remarks: Iterable["Remark"]) -> SummaryList:
    found: dict[str, list[str]] = {}
    for remark in remarks:
        found.setdefault(remark.subject, []).append(remark.text)
    return _grouped((subject, tuple(texts)) for subject, texts in found.items())


def _grouped(rows: Iterable[tuple[str, tuple[str, ...]]]) -> SummaryList:
    """The rows, those of which the same is said together."""
    found: dict[tuple[str, ...], list[str]] = {}
    for subject, sayings in rows:
        found.setdefault(sayings, []).append(subject)
    listed = SummaryList()
    for sayings, subjects in found.items():
        listed.add(", ".join(subjects), *sayings)
    return listed


def _few(names: Sequence[str], wide: bool, most: int = _FEW) -> str:
    more = 0 if wide or len(names) <= most + 1 else len(names) - most
    return ", ".join(names[: len(names) - more]) + (f" and {more} more (--wide)" if more else "")
