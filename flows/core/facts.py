"""What is known of a droplet before anything on it is changed: one script, read into facts."""

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.core.bundle import DOCUMENT
from flows.core.compose import project_containers
from flows.core.containers import Container, read_containers
from flows.core.layout import RESOLVED, Home
from flows.core.ledger import history_sections, read_ledger
from flows.core.record import History

_MARK = "@@slipway:"
_ROOT_DIRECTORY = r"""printf '%s' "$info" | sed -n 's/.*"DockerRootDir":"\([^"]*\)".*/\1/p' | grep ."""
_KNOWN_AS = '{"digests":{{json .RepoDigests}},"tags":{{json .RepoTags}}}'
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}


@dataclass(frozen=True)
class Facts:
    """A droplet as it stands.

    Args:
        platform: such as `linux/amd64`.
        free: bytes free where the engine keeps its images.
        present: the image references asked for that the droplet has already. One without any tag does not count: a pull
            was cut before it got one, and it would go with the next `docker image prune`.
        current: the release document of what is deployed ('' if nothing is).
        history: what was put here before.
    """

    engine: str = ""
    compose: str = ""
    platform: str = ""
    free: int = 0
    containers: tuple[Container, ...] = ()
    present: frozenset[str] = frozenset()
    current: str = ""
    history: History = field(default_factory=History)


def facts_script(home: Home, references: Iterable[str] = ()) -> str:
    """A shell script that prints every fact in a section of its own and changes nothing."""
    wanted = shlex.join(references)
    sections = {
        "info": "printf '%s\\n' \"$info\"",
        "disk": f'df -Pk "$({_ROOT_DIRECTORY} || echo /)" | tail -n 1',
        "containers": containers_script(home.stack),
        "images": f"docker image inspect --format '{_KNOWN_AS}' {wanted} 2>/dev/null" if wanted else ":",
        "current": f"cat {shlex.quote(home.current)}/{DOCUMENT} 2>/dev/null",
        **history_sections(home),
    }
    return "info=$(docker info --format '{{json .}}' 2>/dev/null)\n" + section_script(sections)


def section_script(sections: Mapping[str, str]) -> str:
    """A script that prints what each command says under its section's name; a command may fail."""
    said = [f"printf '\\n{_MARK}{name}\\n'\n({command})" for name, command in sections.items()]
    return "\n".join([*said, "true", ""])


def way_back_script(home: Home, name: str) -> str:
    """Prints what a kept release is: its document, its resolved stack; and what runs, and which images are there."""
    at = shlex.quote(home.release(name))
    return section_script({
        "release": f"cat {at}/{DOCUMENT}",
        "config": f"cat {at}/{RESOLVED}",
        "containers": containers_script(home.stack),
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


def running_release_script(home: Home) -> str:
    """Prints the current release's document, its stack as Compose resolved it here, and its containers."""
    current = shlex.quote(home.current)
    return (
        f"[ -f {current}/{DOCUMENT} ] || exit 0\n"
        f"echo '{_MARK}release'\ncat {current}/{DOCUMENT}\n"
        f"echo '{_MARK}config'\ncat {current}/{RESOLVED}\n"
        f"echo '{_MARK}containers'\n{containers_script(home.stack)}\n"
    )


def read_facts(output: str, stack: str) -> Facts:
    """Parse what `facts_script` printed.

    Raises:
        ForeignRecord, NewerRecord: the droplet's records are not ours to go on with.
    """
    parts = sections(output)
    info = json.loads(parts.get("info") or "{}")
    plugins = {p.get("Name"): p.get("Version", "") for p in (info.get("ClientInfo") or {}).get("Plugins") or ()}
    machine = info.get("Architecture", "")
    system = info.get("OSType", "linux")
    disk = parts.get("disk", "").split()
    images = [json.loads(line) for line in parts.get("images", "").splitlines() if line.strip()]
    present = {digest for image in images if image["tags"] for digest in image["digests"] or ()}
    return Facts(
        engine=info.get("ServerVersion", ""),
        compose=plugins.get("compose", ""),
        platform=f"{system}/{_ARCHITECTURES.get(machine, machine)}" if machine else "",
        free=int(disk[3]) * 1024 if len(disk) > 3 and disk[3].isdecimal() else 0,
        containers=tuple(read_containers(parts.get("containers", ""))),
        present=frozenset(present),
        current=parts.get("current", ""),
        history=read_ledger(parts, stack),
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


def sections(output: str) -> dict[str, str]:
    """Split a script's output at its marks: name → what stood below it."""
    parts: dict[str, list[str]] = {}
    current: list[str] = []
    for line in output.split("\n"):  # not splitlines(), which also splits at what JSON strings may hold
        if line.startswith(_MARK):
            current = parts.setdefault(line.removeprefix(_MARK), [])
        else:
            current.append(line)
    return {name: "\n".join(lines).strip() for name, lines in parts.items()}
