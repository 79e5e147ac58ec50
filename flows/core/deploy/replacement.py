"""Which services the next `up` replaces, as Compose itself says beforehand, and what that costs their clients."""

import re
from collections.abc import Iterable
from typing import Literal

from flows.core.droplet.containers import Container, by_service

# Nothing is done, and Compose's own comparison decides. Without `--no-start` it waits for one-shots, which never run.
TRIED = ("up", "--no-start", "--dry-run", "--no-build", "--pull", "never")
_WOULD = re.compile(r"DRY-RUN MODE - +Container (\S+) +Recreate$", re.MULTILINE)


def replaced_services(said: str, containers: Iterable[Container]) -> tuple[str, ...]:
    """The services that have a container which would be made anew.

    Args:
        said: what Compose printed of a dry run.
    """
    anew = set(_WOULD.findall(said))
    return tuple(name for name, mine in sorted(by_service(containers).items()) if any(one.name in anew for one in mine))


def replacement_cost(
    replaced: Iterable[str], containers: Iterable[Container], strategy: Literal["rolling", "prefetch", "recreate"]
) -> str:
    """What a replacement costs the clients of services that no edge stands in front of, in words; '' for nothing.

    Args:
        containers: those that are there before it.
    """
    running = {one.service for one in containers if one.state == "running"}
    away = sorted(running.intersection(replaced) if strategy == "rolling" else running)
    if not away:
        return ""
    names = ", ".join(away)
    if strategy != "rolling":
        return f"{names}: all of it is stopped first, and nothing answers until the new containers are ready"
    return (
        f"{names}: away from the stop of the old container (its stop_grace_period, 10 s by default) until the new one "
        "is ready. With two colours behind an edge no request is lost: docs/ONE_DROPLET.md"
    )
