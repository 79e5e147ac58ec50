"""The scripts that read what runs on a droplet, and their output as values."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flows.core.droplet.containers import Container, read_containers
from flows.core.droplet.directories import RESOLVED, StackDirectory
from flows.core.droplet.docker_commands import project_containers
from flows.core.droplet.sections import _MARK, section_script, sections
from flows.core.release.bundle import DOCUMENT


def kept_release_script(directory: StackDirectory, name: str) -> str:
    """Prints what a kept release is: its document, its resolved stack; and what runs, and which images are there."""
    at = shlex.quote(directory.release(name))
    return section_script({
        "release": f"cat {at}/{DOCUMENT}",
        "config": f"cat {at}/{RESOLVED}",
        "containers": containers_script(directory.stack),
        "digests": "docker image ls --digests --format '{{.Repository}}@{{.Digest}}'",
    })  # fmt: skip


def containers_script(stack: str) -> str:
    """Prints `docker inspect` of all containers of the stack; nothing when there are none.

    One that goes away in between is left out; an engine that does not answer ends the script.
    """
    return f'ids=$({shlex.join(project_containers(stack))}) || exit; [ -z "$ids" ] || docker inspect $ids || true'


def running_script(stack: str) -> str:
    """Prints the stack's containers, then the digests of the images they run."""
    return (
        f"echo '{_MARK}containers'\n{containers_script(stack)}\necho '{_MARK}images'\n"
        'if [ -n "$ids" ]; then docker image inspect --format \'{"id":{{json .Id}},"digests":{{json .RepoDigests}}}\' '
        "$(docker inspect --format '{{.Image}}' $ids | sort -u) || true; fi\n"
    )


def running_release_script(directory: StackDirectory) -> str:
    """Prints the current release's document, its stack as Compose resolved it here, and its containers."""
    current = shlex.quote(directory.current)
    return (
        f"[ -f {current}/{DOCUMENT} ] || exit 0\n"
        f"echo '{_MARK}release'\ncat {current}/{DOCUMENT}\n"
        f"echo '{_MARK}config'\ncat {current}/{RESOLVED}\n"
        f"echo '{_MARK}containers'\n{containers_script(directory.stack)}\n"
    )


@dataclass(frozen=True)
class Running:
    """What a droplet runs at one moment: the stack's containers, and image id → the digests it is known by."""

    containers: list[Container]
    digests: Mapping[str, tuple[str, ...]]


def read_running(output: str) -> Running:
    """Parse what `running_script` printed."""
    parts = sections(output)
    images: dict[str, tuple[str, ...]] = {}
    for line in parts.get("images", "").splitlines():
        entry: Any = json.loads(line)
        images[entry["id"]] = tuple(entry["digests"] or ())
    return Running(read_containers(parts.get("containers", "")), images)
