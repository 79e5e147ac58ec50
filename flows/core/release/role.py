"""Which part of a stack a droplet runs: all of it, what has a colour, or what keeps state and is at home.

Data has no colour. Once a stack has a data home, its `home` services run there, under a project name of their own, and
the colours run all the others. Both are made from the same release: its files stay, the services are fewer.
"""

from collections.abc import Mapping
from typing import Any, Literal

from flows.core.errors import NoStatefulServices, StateUndeclared, UnknownService
from flows.core.release.bundle import DOCUMENT, File
from flows.core.release.release import Release
from flows.core.stack.compose_yaml import Reset
from flows.core.stack.stack import Stack
from flows.core.stack.state import _refuse

Role = Literal["all", "colour", "home"]
SUFFIX = "-home"
_OUT = "slipway-elsewhere"


def home_stack(stack: str) -> str:
    """The name under which a stack's `home` services run: its project, its directory and its records there."""
    return f"{stack}{SUFFIX}"


def home_services(stack: Stack) -> tuple[str, ...]:
    """The services that said so: `x-slipway.data: home`."""
    return tuple(sorted(n for n, service in stack.services.items() if service.extension.data == "home"))


def cross_role_dependencies(stack: Stack) -> dict[str, tuple[str, ...]]:
    """Service → the services on the other side of the line between home and colours that it waits for."""
    home = set(home_services(stack))
    waits = {
        name: tuple(sorted(other for other in service.depends_on if (other in home) != (name in home)))
        for name, service in sorted(stack.services.items())
    }
    return {name: others for name, others in waits.items() if others}


def home_volumes(stack: Stack, volumes: Mapping[str, Any] | None) -> dict[str, str]:
    """Named volumes of `home` services → the names they have on a droplet that runs the whole stack.

    The home uses the same names, so that a droplet whose stack is taken apart goes on with the data it has.
    """
    used = {m.source for n in home_services(stack) for m in stack.services[n].mounts if m.kind == "volume" and m.source}
    return {name: str((spec or {}).get("name") or name) for name, spec in (volumes or {}).items() if name in used}


def as_role(release: Release, role: Role) -> Release:
    """The part of a release that a droplet of this role runs.

    Raises:
        NothingAtHome: no service of it says that it is at home.
    """
    if role == "all":
        return release
    if role == "home" and not release.home:
        raise NoStatefulServices(
            f"release {release.tag} of {release.stack} has no service that is at home. "
            "Say so beside each service that keeps state: x-slipway: {data: home}, and build it again"
        )
    services = {n: ref for n, ref in release.services.items() if (n in release.home) == (role == "home")}
    used = set(services.values())
    name = home_stack(release.stack) if role == "home" else release.stack
    images = {ref: image for ref, image in release.images.items() if ref in used}
    return release.model_copy(update={"stack": name, "services": services, "images": images})


def refuse_mixed(release: Release, stack: Stack) -> None:
    """Refuse what a droplet's Compose still counts in, though it belongs to the other side of that line.

    Args:
        release: the part that is meant to run there.
        stack: what Compose makes of it.

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
            f"{', '.join(extra)} of stack {release.stack} would run on both sides of the line between data home and "
            "colours: it has a profile of its own that is switched on. A service that is at home, or that depends on "
            "one, cannot have one: take `profiles:` away from it"
        )


def role_files(files: Mapping[str, File], release: Release) -> dict[str, File]:
    """The release's files, with the document of the part that a droplet runs."""
    return {**files, DOCUMENT: File(release.document())}


def role_override(release: Release, role: Role) -> dict[str, Any]:
    """What a compose override says to leave the other side's services out. Empty when nothing is left out.

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


def refuse_release(release: Release, home: str) -> None:
    """`refuse_undeclared`, by what a release says of its stack: before it is put anywhere.

    Raises:
        StateUndeclared
    """
    _refuse(release.stack, release.unsaid, release.home, home)
