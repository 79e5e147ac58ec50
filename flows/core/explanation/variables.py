"""Where the value of each variable comes from; never the value."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flows.core.explanation.explanation import ExplainedVariable, Remark
from flows.core.explanation.interpolation import VariableUse, passed_on, uses_in
from flows.core.explanation.reading import ReadStack
from flows.core.secrets.release_environment import OWN
from flows.core.stack.compose_files import documents_of
from flows.core.stack.variables import FILE, PROFILES, PROJECT_NAME, SEPARATOR, steers_compose

_PARTS = ("services", "networks", "volumes", "configs", "secrets")
_FOLLOWED = {
    PROJECT_NAME: "followed: it names the stack",
    PROFILES: "followed: it switches profiles on",
    FILE: "followed where --stack is a directory: it names the compose files",
    SEPARATOR: f"followed, with {FILE}",
}


def explain_variables(read: ReadStack) -> tuple[ExplainedVariable, ...]:
    """Every variable that the compose files use or pass on, and those of env files that nobody set."""
    uses: dict[str, list[VariableUse]] = {}
    services: dict[str, dict[str, None]] = {}
    passed: set[str] = set()
    for service, use in _uses(read):
        uses.setdefault(use.name, []).append(use)
        services.setdefault(use.name, {})
        if service:
            services[use.name][service] = None
    for service, spec in (read.written.get("services") or {}).items():
        for name in (*passed_on(spec), *_held_by_variables(read, spec)):
            passed.add(name)
            services.setdefault(name, {})[service] = None
    for name in read.unset:
        services.setdefault(name, {})
    explained = (_explained(read, name, uses.get(name, []), tuple(services[name]), name in passed) for name in services)
    return tuple(sorted(explained, key=lambda one: one.name))


def steering(read: ReadStack) -> tuple[Remark, ...]:
    """The variables of the stack that Compose takes as options of its own."""
    left_out = "left out: it would change what Slipway's own commands do"
    return tuple(
        Remark(name, _FOLLOWED.get(name, left_out) + f" ({read.variables_from})")
        for name in sorted(read.variables)
        if name in _FOLLOWED or steers_compose(name)
    )


def _uses(read: ReadStack) -> Iterator[tuple[str, VariableUse]]:
    """Every use, with the service that it stands in; '' for other parts."""
    for part in _PARTS:
        for name, spec in (read.written.get(part) or {}).items():
            for use in uses_in(spec):
                yield name if part == "services" else "", use
    for path, text in read.texts.items():  # Compose has these resolved before it prints anything
        for document in documents_of(path, text):
            for key in ("name", "include"):
                for use in uses_in(document.get(key)):
                    yield "", use


def _held_by_variables(read: ReadStack, spec: Mapping[str, Any]) -> Iterator[str]:
    """The variables that hold the secrets and configs of a service, and build arguments without a value."""
    for part in ("secrets", "configs"):
        known = read.written.get(part) or {}
        for entry in spec.get(part) or ():
            source = entry.get("source") if isinstance(entry, Mapping) else entry
            if name := (known.get(source) or {}).get("environment"):
                yield str(name)


def _explained(
    read: ReadStack, name: str, uses: list[VariableUse], services: tuple[str, ...], passed: bool
) -> ExplainedVariable:
    def told(origin: Any, source: str = "", *, refused: bool = False, remark: str = "") -> ExplainedVariable:
        return ExplainedVariable(name, origin, source, services, refused, remark)

    if name in OWN:
        mine = f"what {read.variables_from} says of it does not count" if name in read.variables else ""
        return told("slipway", remark=mine)
    empty_counts = passed or not uses or any(use.takes_empty for use in uses)
    if name in read.variables and (read.variables[name] or empty_counts):
        return told("env file", read.variables_from)
    if found := _of_includes(read, name):
        return told("include", ", ".join(found))
    shell = "this shell has it, which is no input of a release" if name in read.shell else ""
    if name in read.unset:
        return told("nobody", _place(read, name), refused=True, remark=shell)
    if any(use.has_default for use in uses):
        return told("default", _place(read, name))
    return told("nobody", _place(read, name), remark=shell or _harmless(read, uses, services, passed))


def _of_includes(read: ReadStack, name: str) -> list[str]:
    holders = {env_file.path for env_file in read.env_files if env_file.interpolates and name in (env_file.names or ())}
    mine = {
        path
        for included, paths in read.include_env.items()
        if any(name in (use.name for use in uses_in(d)) for d in documents_of(included, read.texts.get(included, "{}")))
        for path in paths
    }
    return sorted(read.shown(path) for path in holders & mine)


def _harmless(read: ReadStack, uses: list[VariableUse], services: tuple[str, ...], passed: bool) -> str:
    if services and not set(services) & set(read.stack.services):
        return "only services that are switched off use it"
    if passed and not uses:
        return "the container is not given it"
    return "nothing is put in its place"


def _place(read: ReadStack, name: str) -> str:
    """`FILE:LINE` of the first use, comments passed over."""
    pattern = re.compile(rf"\$\{{?{name}\b|^\s*+(?:-\s*+)?[\"']?{name}[\"']?\s*+(?::\s*+)?$")
    for path, text in read.texts.items():
        for number, line in enumerate(text.splitlines(), 1):
            if not line.lstrip().startswith("#") and pattern.search(line):
                return f"{read.shown(path)}:{number}"
    return ""
