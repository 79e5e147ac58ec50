"""What a person types every day, as argv on a droplet: the log of a service, and a command inside of it."""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from flows.core.answers import reads
from flows.core.droplet.containers import SERVICE_LABEL
from flows.core.droplet.directories import COMMAND, StackDirectory
from flows.core.droplet.docker_commands import PROJECT_LABEL
from flows.core.droplet.running import release_sections
from flows.core.droplet.sections import section_script, sections
from flows.core.errors import ConflictingOptions, NothingDeployed, UnknownService

# As `docker logs --since` takes it: a duration, or a time (RFC 3339, its zone and its end optional).
_DURATION = re.compile(r"(?:[0-9]{1,9}(?:ms|s|m|h)){1,4}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]{5,18}(?:Z|[+-][0-9]{2}:[0-9]{2})?)?")
# Runs a command for as long as standard input stays open: whoever went away needs it no longer.
_WHILE_OPEN = 'exec 3<&0; "$@" </dev/null & ran=$!; (cat <&3 >/dev/null; kill "$ran") 2>/dev/null & wait "$ran"'


def services_script(directory: StackDirectory) -> str:
    """The script that prints which services have containers, and the release that is current."""
    label, project = f'{{{{.Label "{SERVICE_LABEL}"}}}}', f"label={PROJECT_LABEL}={directory.stack}"
    listed = shlex.join(["docker", "ps", "--all", "--filter", project, "--format", label])
    return section_script({"services": listed, "release": release_sections(directory.current)["release"]})


@reads("what the droplet says of its services")
def read_service_names(output: str) -> tuple[str, ...]:
    """The services of a droplet that have containers, from what `services_script` printed."""
    return tuple(sorted(set(sections(output).get("services", "").split())))


def with_service(places: Mapping[str, Sequence[str]], service: str) -> tuple[str, ...]:
    """The places that have a service.

    Args:
        places: place → the services that have containers there.

    Raises:
        UnknownService: none has it; with those whose names are near. NothingDeployed: nothing runs anywhere.
    """
    found = tuple(place for place, services in places.items() if service in services)
    if found:
        return found
    known = sorted({name for services in places.values() for name in services})
    where = ", ".join(places)
    if not known:
        raise NothingDeployed(f"nothing of the stack runs on {where}. Look: slipway status")
    near = get_close_matches(service, known, 3) or known
    raise UnknownService(f"no service {service} on {where}. There: {', '.join(near)}")


def logs_argv(
    directory: StackDirectory, services: Iterable[str], *, tail: int, since: str = "", follow: bool = False
) -> list[str]:
    """Print the log of services, each line with its container's name.

    Args:
        tail: last lines of each container.
        since: a duration such as `10m`, or a time such as `2026-05-04T12:00:00Z`; '' for all.

    Raises:
        ConflictingOptions: `since` is neither.
    """
    if since and not (_DURATION.fullmatch(since) or _TIME.fullmatch(since)):
        raise ConflictingOptions(f"--since {since}: give a duration (90s, 10m, 2h) or a time (2026-05-04T12:00:00Z)")
    options = [*(["--since", since] if since else []), *(["--follow"] if follow else [])]
    argv = [f"{directory.current}/{COMMAND}", "logs", "--no-color", "--tail", str(tail), *options, "--", *services]
    return _while_open(argv) if follow else argv


def exec_argv(directory: StackDirectory, service: str, command: Sequence[str]) -> list[str]:
    """Run a command inside the first container of a service, without a terminal of its own."""
    return [f"{directory.current}/{COMMAND}", "exec", "--no-TTY", "--", service, *command]


def _while_open(argv: Sequence[str]) -> list[str]:
    return ["sh", "-c", _WHILE_OPEN, "slipway", *argv]
