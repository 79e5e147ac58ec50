"""What is worth a line of its own: networks and ports, what differs from plain Compose, what a promotion needs."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flows.core.explanation.explanation import ExplainedVariable, Remark
from flows.core.explanation.reading import ReadStack
from flows.core.release.role import cross_role_dependencies, home_services
from flows.core.secrets.release_environment import OWN
from flows.core.stack.state import undeclared_state
from flows.core.stack.variables import steers_compose

_EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 — what Compose publishes on when nothing is said
_CHOICES = (
    "says where a service's state lives. home: it runs once, on the data home, for both colours; disposable: it may be "
    "lost, as a cache; per-colour: each colour has its own"
)
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def explain_reach(read: ReadStack) -> Iterator[Remark]:
    """What is special about networks, and each port that is published."""
    for name, spec in sorted((read.config.get("networks") or {}).items()):
        if (spec or {}).get("external"):
            called = (spec or {}).get("name") or name
            yield Remark(f"network {name}", f"not the stack's: must be on the droplet (docker network create {called})")
    for name, spec in sorted((read.config.get("services") or {}).items()):
        if mode := (spec or {}).get("network_mode"):
            yield Remark(name, f"network_mode {mode}: {_mode(str(mode))}")
        for port in (spec or {}).get("ports") or ():
            yield Remark(name, _published(port))


def _mode(mode: str) -> str:
    if mode == "host":
        return "it is on the droplet's own network, and so are its ports"
    if mode == "none":
        return "it has no network, and cannot be probed"
    kind, _, other = mode.partition(":")
    if kind == "container":
        return f"uses the network of {other}, which is not the stack's and must run there"
    return f"uses the network of {other}, and starts anew with it" if kind == "service" else "a network of the droplet"


def _published(port: Mapping[str, Any]) -> str:
    target, host, address = port.get("target"), port.get("published"), str(port.get("host_ip") or "")
    protocol = "" if port.get("protocol", "tcp") == "tcp" else f"/{port['protocol']}"
    if not host:
        return f"port {target}{protocol} on a free port of the droplet"
    if address in _LOOPBACK:
        where = "on the droplet's loopback alone"
    else:
        where = "on every address of the droplet" if address in _EVERYWHERE else f"on {address} of the droplet"
    return f"port {target}{protocol} as {host}{protocol} {where}"


def explain_differences(
    read: ReadStack, variables: Iterable[ExplainedVariable], overrides: Iterable[str]
) -> Iterator[Remark]:
    """What a release does otherwise than `docker compose up` would here, as far as it concerns this stack.

    Args:
        overrides: override files beside the compose file.
    """
    yield Remark("images", "run by digest: what was built, or what the tag meant, when the release was built")
    if any(service.build for service in read.stack.services.values()):
        yield Remark("builds", "are made once, here; a droplet never builds")
    for name in overrides:
        yield Remark(name, "not read: it is for local work (name it in --stack to have it: --stack FILE:OVERRIDE)")
    yield from _variables(read, variables)
    if any(entry.secret for entry in read.sources.environment_files):
        yield Remark(
            "secret files",
            "arrive with the mode that the stack names, else 0444, in a directory that only root may enter",
        )
    if read.sources.state:
        yield Remark("written paths", "lie beside the releases on the droplet (shared/), so that they outlive them")
    if any("develop" in (spec or {}) for spec in (read.config.get("services") or {}).values()):
        yield Remark("develop", "ignored: it is for `docker compose watch`")
    yield Remark("labels", "dev.slipway.* are added to services whose files or secrets must restart them")


def _variables(read: ReadStack, variables: Iterable[ExplainedVariable]) -> Iterator[Remark]:
    mine = [name for name in OWN if name in read.variables]
    if mine:
        words = "is" if len(mine) == 1 else "are"
        yield Remark(", ".join(mine), f"{words} Slipway's to set: what {read.variables_from} says does not count")
    left_out = sorted(filter(steers_compose, read.variables))
    if left_out:
        yield Remark(", ".join(left_out), "not given to Compose: it would change what Slipway's own commands do")
    shell = sorted(one.name for one in variables if one.name in read.shell and one.origin in ("nobody", "default"))
    if shell:
        yield Remark(
            ", ".join(shell), f"set in this shell, which is no input of a release: put it into {read.variables_from}"
        )


def explain_promotion(read: ReadStack) -> Iterator[Remark]:
    """What a promotion to a second colour would need."""
    undeclared = undeclared_state(read.stack)
    for keeper in undeclared:
        name, _, mounts = keeper.partition(" ")
        yield Remark(name, f"x-slipway.data, for {mounts.strip('()').replace(f'{read.directory}/', './')}")
    if undeclared:
        yield Remark("x-slipway.data", _CHOICES)
    home = home_services(read.stack)
    if home:
        at_home = f"{'runs' if len(home) == 1 else 'run'} on the data home (SLIPWAY_HOME, slipway deploy-home)"
        yield Remark(", ".join(home), at_home)
    across = cross_role_dependencies(read.stack)
    for name, others in across.items():
        yield Remark(
            name,
            f"finds {', '.join(others)} at the data home: by its own name where all is on one droplet; by a variable "
            "where that is another droplet, and depends_on is left out there",
        )
    for name in sorted(n for n in {*home, *across} if read.spec(n).get("profiles")):
        yield Remark(name, "cannot have a profile there: remove `profiles:`")
