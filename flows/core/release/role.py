"""The role of a droplet: it runs the whole stack, the part that has a colour, or the part on the data home.

Data has no colour. Once a stack has a data home, its `home` services run there, under a project name of their own, and
the colours run all the others. Both are made from the same release: the same files, fewer services.
"""

from collections.abc import Mapping
from typing import Any, Literal

from flows.core.errors import BadRelease, NoStatefulServices, StateUndeclared, UnknownService
from flows.core.release.bundle import DOCUMENT, File, ReleaseFiles
from flows.core.release.release import Release
from flows.core.stack.compose_yaml import Reset
from flows.core.stack.side_by_side.override import colour_override, home_override, together
from flows.core.stack.stack import Stack
from flows.core.stack.state import _refuse

Role = Literal["all", "colour", "home"]
# The parts of a stack on a droplet that has several of them, each a Compose project of its own.
Part = Literal["green", "blue", "home"]
PARTS: tuple[Part, ...] = ("green", "blue", "home")
_OUT = "slipway-elsewhere"


def home_stack(stack: str) -> str:
    """The name of a stack on the data home: of its project, its directory and its records there."""
    return f"{stack}-home"


def part_stack(stack: str, part: Part | None) -> str:
    """The name of a part of a stack on its droplet; the name itself where the droplet has one part only."""
    return stack if part is None or stack.endswith(f"-{part}") else f"{stack}-{part}"


def whole_stack(name: str) -> str:
    """The name of the stack that has a part of this name; the name itself where it is no such name."""
    stem, _, part = name.rpartition("-")
    return stem if stem and part in PARTS else name


def neighbours(name: str) -> tuple[str, ...]:
    """Names under which other parts of the same stack may run on the same droplet."""
    whole = whole_stack(name)
    parts = [f"{stem}-{part}" for stem in dict.fromkeys((name, whole)) for part in PARTS]
    every = dict.fromkeys((*parts, whole))
    return tuple(other for other in every if other != name)


def home_services(stack: Stack) -> tuple[str, ...]:
    """The services that run on the data home: those with `x-slipway.data: home`."""
    return tuple(sorted(n for n, service in stack.services.items() if service.extension.data == "home"))


def cross_role_dependencies(stack: Stack) -> dict[str, tuple[str, ...]]:
    """Service → the services that it depends on and that run in the other role."""
    home = set(home_services(stack))
    waits = {
        name: tuple(sorted(other for other in service.depends_on if (other in home) != (name in home)))
        for name, service in sorted(stack.services.items())
    }
    return {name: others for name, others in waits.items() if others}


def home_volumes(stack: Stack, volumes: Mapping[str, Any] | None) -> dict[str, str]:
    """Named volumes of the data home's services → their names on a droplet that runs the whole stack.

    The data home uses the same names, so that a droplet whose stack is divided keeps its data.
    """
    used = {m.source for n in home_services(stack) for m in stack.services[n].mounts if m.kind == "volume" and m.source}
    return {name: str((spec or {}).get("name") or name) for name, spec in (volumes or {}).items() if name in used}


def as_role(release: Release, role: Role, part: Part | None = None) -> Release:
    """The part of a release that a droplet of this role runs.

    Args:
        part: where the droplet has several parts of the stack, which one this is.

    Raises:
        NoStatefulServices: no service of it says that it is at home.
    """
    if role == "all":
        return release.model_copy(update={"stack": part_stack(release.stack, part)}) if part else release
    if role == "home" and not release.home:
        raise NoStatefulServices(
            f"release {release.tag} of {release.stack} has no service for the data home. "
            "Say so beside each service that keeps state: x-slipway: {data: home}, and build it again"
        )
    services = {n: ref for n, ref in release.services.items() if (n in release.home) == (role == "home")}
    used = set(services.values())
    name = home_stack(release.stack) if role == "home" else part_stack(release.stack, part)
    images = {ref: image for ref, image in release.images.items() if ref in used}
    return release.model_copy(update={"stack": name, "services": services, "images": images})


def refuse_mixed(release: Release, stack: Stack) -> None:
    """Refuse a release of which Compose would start services of the other role too.

    Args:
        release: the part that is meant to run there.
        stack: the stack as Compose resolved it there.

    Raises:
        StateUndeclared, UnknownService
    """
    extra = sorted(set(stack.services) - set(release.services))
    if extra and not release.home and not release.waits:
        raise UnknownService(
            f"release {release.tag} of {release.stack} has no image of {', '.join(extra)}: a profile was switched on "
            "after it was built. Build it again: slipway build-push; or switch the profile off again"
        )
    if extra:
        raise StateUndeclared(
            f"{', '.join(extra)} of stack {release.stack} would run both on the data home and on the colours: "
            "it has a profile of its own that is switched on. A service that runs on the data home, or that depends on "
            "one that does, cannot have a profile: remove `profiles:` from it"
        )


def role_files(files: ReleaseFiles, release: Release) -> ReleaseFiles:
    """The files of a release, with the document of the part that a droplet runs."""
    return files.with_own({DOCUMENT: File(release.document())})


def role_override(release: Release, role: Role) -> dict[str, Any]:
    """The part of a compose override that leaves out the services of the other role; empty when all run.

    Args:
        release: the whole release.
    """
    if role == "all":
        return {}
    out = sorted(n for n in release.services if (n in release.home) != (role == "home"))
    services: dict[str, Any] = {name: {"profiles": [_OUT]} for name in out}
    for name, others in release.waits.items():
        if name not in services:
            services[name] = {"depends_on": {other: Reset() for other in others}}
    override: dict[str, Any] = {"services": services}
    if role == "home" and release.volumes:
        override["volumes"] = {volume: {"name": name} for volume, name in sorted(release.volumes.items())}
    return override


def part_override(release: Release, role: Role, part: Part | None, home_beside: bool) -> dict[str, Any]:
    """The same where the droplet has several parts of the stack, each a project of its own.

    Args:
        home_beside: the data home is one of these parts, so it makes the networks on which a colour finds it.

    Raises:
        BadRelease: it was built before Slipway knew what that takes.
    """
    override = role_override(release, role)
    if part is None:
        return override
    if release.side_by_side is None:
        raise BadRelease(
            f"release {release.tag} of {release.stack} does not say what two colours on one droplet must know: it was "
            "built by an earlier version, or names something as no droplet takes it. Build it again: slipway build-push"
        )
    facts, services = release.side_by_side, as_role(release, role).services
    if not home_beside:
        alone = {key: network.model_copy(update={"home": {}}) for key, network in facts.networks.items()}
        facts = facts.model_copy(update={"networks": alone})
    if part == "home":
        return together(override, home_override(facts, stack=release.stack, services=services))
    return together(override, colour_override(facts, stack=release.stack, colour=part, services=services))


def refuse_release(release: Release, home: str) -> None:
    """Refuse a release whose services keep state and do not say where it lives, before it is put anywhere.

    Raises:
        StateUndeclared
    """
    _refuse(release.stack, release.unsaid, release.home, home)
