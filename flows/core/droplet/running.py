"""What runs of a stack on a droplet: the scripts that print it, and their output as values."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flows.core.answers import reads
from flows.core.droplet.containers import OF_CONTAINER, Container, read_containers
from flows.core.droplet.directories import RESOLVED, StackDirectory
from flows.core.droplet.docker_commands import project_containers
from flows.core.droplet.sections import section_script, sections
from flows.core.release.bundle import DOCUMENT
from flows.core.stack.compose_yaml import load_config
from flows.core.stack.stack import Stack

# Inside a JSON string the quotation marks would be escaped, so no value can look like this line.
_OWNER = rf's/^ *"NetworkMode": "{OF_CONTAINER}\([0-9a-f]*\)".*/\1/p'
_INSPECTED = (
    "said=$(docker inspect $ids); printf '%s\\n' \"$said\"; "
    f"owners=$(printf '%s\\n' \"$said\" | sed -n '{_OWNER}' | sort -u | grep -vxF \"$ids\"); "
    '[ -z "$owners" ] || docker inspect $owners'
)
# What cannot be read without the engine; a script ends where it does not answer.
ENGINE_SECTIONS = ("containers",)


def release_sections(at: str) -> dict[str, str]:
    """Section name → the command that prints it: a release's document, and its stack as Compose resolved it there."""
    place = shlex.quote(at)
    return {"release": f"cat {place}/{DOCUMENT} 2>/dev/null", "config": f"cat {place}/{RESOLVED} 2>/dev/null"}


def running_sections(stack: str) -> dict[str, str]:
    """Section name → the command that prints it: the stack's containers, then the digests of the images they run."""
    images = "$(docker inspect --format '{{.Image}}' $ids | sort -u)"
    known_as = '{"id":{{json .Id}},"digests":{{json .RepoDigests}}}'
    return {
        "containers": containers_script(stack),
        "images": f"[ -z \"$ids\" ] || docker image inspect --format '{known_as}' {images}",
    }


def kept_release_script(directory: StackDirectory, name: str) -> str:
    """The script that prints a kept release: its document and resolved stack, what runs, and which images are there."""
    return section_script({
        **release_sections(directory.release(name)),
        "containers": containers_script(directory.stack),
        "digests": "docker image ls --digests --format '{{.Repository}}@{{.Digest}}'",
    })  # fmt: skip


def containers_script(stack: str) -> str:
    """Prints `docker inspect` of all containers of the stack, then of others whose network one of these uses.

    Nothing when there are none; one that goes away in between is left out; an engine that does not answer ends the
    script.
    """
    listed = shlex.join(project_containers(stack))
    return f'ids=$({listed}) || exit; [ -z "$ids" ] || {{ {_INSPECTED}; }} || true'


def running_script(stack: str) -> str:
    """The script that prints the stack's containers, then the digests of the images they run."""
    return section_script(running_sections(stack), ENGINE_SECTIONS)


def running_release_script(directory: StackDirectory) -> str:
    """The script that prints the current release: its document, its resolved stack, and its containers."""
    parts = {**release_sections(directory.current), "containers": containers_script(directory.stack)}
    return f"[ -f {shlex.quote(directory.current)}/{DOCUMENT} ] || exit 0\n{section_script(parts, ENGINE_SECTIONS)}"


@reads("what Compose made of the stack on the droplet")
def read_resolved(text: str) -> Stack:
    """The stack of a release on a droplet, from what `docker compose config` printed there."""
    return stack_there(load_config(text))


@reads("what Compose made of the stack on the droplet")
def stack_there(config: Mapping[str, Any]) -> Stack:
    """The stack that a droplet's own Compose resolved."""
    return Stack.from_config(config)


@dataclass(frozen=True)
class Running:
    """The containers of a stack at one moment, and image id → the digests it is known by."""

    containers: list[Container]
    digests: Mapping[str, tuple[str, ...]]


@reads("what the droplet says of its containers")
def read_running(output: str) -> Running:
    """Parse the output of `running_script`."""
    parts = sections(output)
    images: list[Any] = [json.loads(line) for line in parts.get("images", "").splitlines()]
    digests = {image["id"]: tuple(image["digests"] or ()) for image in images}
    return Running(read_containers(parts.get("containers", "")), digests)
