"""The state of a stack: every service that keeps any must say where it lives, or the stack is not promoted."""

from collections.abc import Callable, Sequence

from flows.core.errors import StateUndeclared
from flows.core.stack.stack import Mount, Stack


def undeclared_state(stack: Stack, named: Callable[[str], str] = str) -> tuple[str, ...]:
    """The services that keep state and do not say where it lives, each with its mounts.

    Args:
        named: returns what a mounted path is called.
    """
    return tuple(
        f"{name} ({_mounted(mounts, named)})"
        for name, service in sorted(stack.services.items())
        if service.extension.data is None and (mounts := [m for m in service.mounts if _keeps(m)])
    )


def refuse_undeclared(stack: Stack, home: str) -> None:
    """Refuse a stack whose services keep state and do not say where it lives: each colour would have its own.

    Args:
        home: the data home's droplet; '' when there is none.

    Raises:
        StateUndeclared
    """
    at_home = tuple(sorted(n for n, service in stack.services.items() if service.extension.data == "home"))
    _refuse(stack.name, undeclared_state(stack), at_home, home)


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


def _keeps(mount: Mount) -> bool:
    """Whether what is written to a mount outlives the container."""
    return not mount.read_only and bool(mount.source) and mount.kind in ("volume", "bind", "cluster")


def _mounted(mounts: Sequence[Mount], named: Callable[[str], str]) -> str:
    sources = (f"volume {m.source}" if m.kind == "volume" else named(m.source) for m in mounts)
    return ", ".join(f"{source} at {mount.target}" for source, mount in zip(sources, mounts, strict=True))
