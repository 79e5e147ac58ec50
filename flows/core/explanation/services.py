"""What becomes of each service: its image, what restarts it, how it is probed or waited for."""

from collections.abc import Iterable, Mapping
from typing import Any

from flows.core.errors import Refused
from flows.core.explanation.explanation import ExplainedService, ExplainedVariable, Refusal, Remark
from flows.core.explanation.interpolation import uses_in
from flows.core.explanation.reading import HOST, TAG, ReadStack, shown_reference
from flows.core.registry.layout import RegistryLayout
from flows.core.release.image_plan import ImagePlan, plan_images
from flows.core.stack.extension import Extension
from flows.core.stack.stack import Service, Stack

_RELEASE_ONLY = ("REGISTRY", "IMAGE_TAG")
_EXTENSION = "x-slipway"


def read_services(config: Mapping[str, Any]) -> tuple[Stack, tuple[Refusal, ...]]:
    """The stack, and what of its services is refused; where that is an `x-slipway`, the rest of the service is kept."""
    services: dict[str, Any] = {}
    refused: list[Refusal] = []
    for name, spec in (config.get("services") or {}).items():
        plain = {key: value for key, value in spec.items() if key != _EXTENSION}
        for form in (spec, plain):
            try:
                Stack.from_config({**config, "services": {name: form}})
            except Refused as error:
                if form is spec:
                    refused.append(Refusal(type(error).__name__, str(error)))
            else:
                services[name] = form
                break
    return Stack.from_config({**config, "services": services}), tuple(refused)


def explain_services(read: ReadStack, variables: Iterable[ExplainedVariable]) -> tuple[ExplainedService, ...]:
    """Every service that is switched on."""
    plan = plan_images(read.stack, RegistryLayout(HOST), TAG)
    changeable = {one.name for one in variables if one.origin in ("env file", "include")}
    return tuple(_explained(read, service, plan, changeable) for _, service in sorted(read.stack.services.items()))


def switched_off(read: ReadStack) -> tuple[Remark, ...]:
    """The profiles that are not switched on, and the services that do not belong to the release without them."""
    found: dict[str, list[str]] = {}
    for name, spec in sorted((read.written.get("services") or {}).items()):
        if name not in read.stack.services and spec.get("profiles"):
            found.setdefault(" or ".join(map(str, spec["profiles"])), []).append(name)
    return tuple(Remark(profile, ", ".join(names)) for profile, names in sorted(found.items()))


def _explained(read: ReadStack, service: Service, plan: ImagePlan, changeable: set[str]) -> ExplainedService:
    name, spec = service.name, read.spec(service.name)
    target = plan.services[name]
    built = target in plan.built
    elsewhere = {key: value for key, value in spec.items() if key not in ("image", "build")}
    held = [
        str(source["environment"])
        for part, mine in (("secrets", service.secret_names), ("configs", service.configs))
        for one in mine
        if (source := (read.written.get(part) or {}).get(one) or {}).get("environment")
    ]
    files = read.sources.readers.get(name, ())
    env_files = [one.path for one in read.env_files if name in one.services and not one.on_droplet]
    restarting = [
        n for n, how in (spec.get("depends_on") or {}).items() if isinstance(how, Mapping) and how.get("restart")
    ]
    return ExplainedService(
        name=name,
        image=shown_reference(str(spec.get("image") or service.image)),
        published_as=shown_reference(target) if built else "",
        built_by=plan.built[target] if built else "",
        variables=tuple(sorted({use.name for use in uses_in(spec)} & changeable | set(held) & changeable)),
        files=tuple(map(read.shown, files)),
        environment_files=tuple(map(read.shown, env_files)),
        secrets=tuple(sorted(service.secret_names)),
        configs=tuple(sorted(service.configs)),
        services=tuple(sorted(restarting)),
        every_release=tuple(sorted({use.name for use in uses_in(elsewhere)} & set(_RELEASE_ONLY))),
        replicas=service.replicas,
        profiles=_switched_on(read, spec),
        once=name in read.stack.one_shots,
        probes=_probes(service.extension, service.probe_port),
        ready=_ready(read, name, spec),
    )


def _switched_on(read: ReadStack, spec: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        f"{profile}, by {read.profiles[key]}"
        for profile in map(str, spec.get("profiles") or ())
        for key in (profile, "*")
        if key in read.profiles
    )


def _probes(extension: Extension, port: int | None) -> tuple[str, ...]:
    found = []
    if extension.health:
        found.append(f"GET {extension.health} on port {port}")
    if extension.mcp:
        tools = f", tools {', '.join(extension.mcp.tools)}" if extension.mcp.tools else ""
        found.append(f"MCP at {extension.mcp.path} on port {port}: at least {extension.mcp.minimum} tools{tools}")
    if extension.workflow:
        probe = extension.workflow
        found.append(f"workflow {probe.method} {probe.path} on port {port}, answer holds {probe.expect}")
    return tuple(found)


def _ready(read: ReadStack, name: str, spec: Mapping[str, Any]) -> str:
    check = spec.get("healthcheck") or {}
    if name in read.stack.awaited_to_complete:
        return "done when it has ended with exit 0: others wait for that"
    if check and not check.get("disable") and check.get("test") not in ("NONE", ["NONE"]):
        return "ready when its healthcheck passes"
    running = f"when it has kept running for {read.readiness_delay:g} s"
    if name in read.stack.one_shots:
        return f"ready {running}, or has ended with exit 0: nothing restarts it"
    return f"ready {running}; by the healthcheck of its image, where that has one"
