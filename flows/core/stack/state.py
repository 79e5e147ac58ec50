"""The state of a stack: every service that keeps any must say where it lives, or the stack is not promoted."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from flows.core.errors import StateUndeclared
from flows.core.stack.stack import Mount, Stack

Nameless = Mapping[str, Collection[str]]
NONE: Nameless = MappingProxyType({})


def undeclared_state(stack: Stack, nameless: Nameless = NONE, named: Callable[[str], str] = str) -> tuple[str, ...]:
    """The services that keep state and do not say where it lives, each with its mounts.

    Args:
        nameless: service → where its containers have volumes without a name; their images may ask for these.
        named: returns what a mounted path is called.
    """
    return tuple(
        f"{name} ({', '.join(places)})"
        for name, service in sorted(stack.services.items())
        if service.extension.data is None and (places := _places(service.mounts, nameless.get(name, ()), named))
    )


def refuse_undeclared(stack: Stack, home: str, nameless: Nameless = NONE) -> None:
    """Refuse a stack whose services keep state and do not say where it lives: each colour would have its own.

    Args:
        home: the data home's droplet; '' when there is none.
        nameless: as `undeclared_state` takes it.

    Raises:
        StateUndeclared
    """
    at_home = tuple(sorted(n for n, service in stack.services.items() if service.extension.data == "home"))
    _refuse(stack.name, undeclared_state(stack, nameless), at_home, home)


def _refuse(stack: str, silent: Sequence[str], at_home: Sequence[str], home: str) -> None:
    if silent:
        raise StateUndeclared(
            f"stack {stack} keeps state in {', '.join(silent)}, and does not say where it lives. With two colours "
            "each would have its own. Beside each of these services choose one. x-slipway: {data: home}: it runs once, "
            "on the data home, and both colours reach it there. {data: disposable}: it may be lost, such as a cache. "
            "{data: per-colour}: each colour really has its own"
        )
    if at_home and not home:
        raise StateUndeclared(
            f"{', '.join(at_home)} of stack {stack} keeps its state on the data home (x-slipway.data: home), and no "
            "data home is set, so both colours would run it. Name its droplet (SLIPWAY_HOME), deploy to it "
            "(slipway deploy-home --tag TAG), and deploy the colours again"
        )


def _places(mounts: Iterable[Mount], nameless: Iterable[str], named: Callable[[str], str]) -> tuple[str, ...]:
    """Where a service keeps what outlives its containers, in words."""
    known, bare = [], dict.fromkeys(nameless)
    for mount in mounts:
        if mount.read_only or mount.kind not in ("volume", "bind", "cluster"):
            continue
        if mount.source:
            source = f"volume {mount.source}" if mount.kind == "volume" else named(mount.source)
            known.append(f"{source} at {mount.target}")
        else:
            bare[mount.target] = None
    return (*known, *(f"a volume without a name at {target}" for target in sorted(bare)))
