"""The facts of a droplet that a deploy decides by: one script, and its output as values."""

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from flows.core.answers import reads
from flows.core.droplet.asleep import SECTION, read_marker, sleep_sections
from flows.core.droplet.containers import Container, read_containers
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.running import containers_script
from flows.core.droplet.sections import section_script, sections
from flows.core.records.history import History
from flows.core.records.storage import history_sections, read_records
from flows.core.release.bundle import DOCUMENT

_ROOT_DIRECTORY = r"""printf '%s' "$info" | sed -n 's/.*"DockerRootDir":"\([^"]*\)".*/\1/p' | grep ."""
_KNOWN_AS = '{"digests":{{json .RepoDigests}},"tags":{{json .RepoTags}}}'
_SAID = "echo :said:"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}


@dataclass(frozen=True)
class Facts:
    """A droplet before anything on it is changed: its engine, disk, containers, images and history.

    Args:
        platform: such as `linux/amd64`.
        free: bytes free where the engine keeps its images.
        present: the image references asked for that the droplet has already. One without any tag does not count: a pull
            was cut before it got one, and it would go with the next `docker image prune`.
        networks, volumes: those that the engine has, networks by their names and ids; None: it did not say.
        current: the release document of what is deployed ('' if nothing is).
        history: what was put here before.
        asleep: whether what is deployed was put to sleep.
    """

    engine: str = ""
    compose: str = ""
    platform: str = ""
    free: int = 0
    containers: tuple[Container, ...] = ()
    present: frozenset[str] = frozenset()
    networks: frozenset[str] | None = None
    volumes: frozenset[str] | None = None
    current: str = ""
    history: History = field(default_factory=History)
    asleep: bool = False


def facts_script(
    directory: StackDirectory, references: Iterable[str] = (), more: Mapping[str, str] | None = None
) -> str:
    """The script that prints every fact in a section of its own, and changes nothing.

    Args:
        more: further sections: name → command.
    """
    wanted = shlex.join(references)
    sections = {
        "info": "printf '%s\\n' \"$info\"",
        "disk": f'df -Pk "$({_ROOT_DIRECTORY} || echo /)" | tail -n 1',
        "containers": containers_script(directory.stack),
        "images": f"docker image inspect --format '{_KNOWN_AS}' {wanted} 2>/dev/null" if wanted else ":",
        "networks": f"docker network ls --no-trunc --format '{{{{.Name}}}} {{{{.ID}}}}' 2>/dev/null && {_SAID}",
        "volumes": f"docker volume ls --quiet 2>/dev/null && {_SAID}",
        "current": f"cat {shlex.quote(directory.current)}/{DOCUMENT} 2>/dev/null",
        **sleep_sections(directory),
        **history_sections(directory),
        **(more or {}),
    }
    return "info=$(docker info --format '{{json .}}' 2>/dev/null)\n" + section_script(sections)


@reads("what the droplet says of itself")
def read_facts(output: str, stack: str) -> Facts:
    """Parse the output of `facts_script`.

    Raises:
        ForeignRecord, NewerRecord: the droplet's records are not ours to go on with.
    """
    parts = sections(output)
    info = json.loads(parts.get("info") or "{}")
    plugins = {p.get("Name"): p.get("Version", "") for p in (info.get("ClientInfo") or {}).get("Plugins") or ()}
    machine = info.get("Architecture", "")
    system = info.get("OSType", "linux")
    disk = parts.get("disk", "").split()
    history = read_records(parts, stack)
    images = [json.loads(line) for line in parts.get("images", "").splitlines() if line.strip()]
    present = {digest for image in images if image["tags"] for digest in image["digests"] or ()}
    return Facts(
        engine=info.get("ServerVersion", ""),
        compose=plugins.get("compose", ""),
        platform=f"{system}/{_ARCHITECTURES.get(machine, machine)}" if machine else "",
        free=int(disk[3]) * 1024 if len(disk) > 3 and disk[3].isdecimal() else 0,
        containers=tuple(read_containers(parts.get("containers", ""))),
        present=frozenset(present),
        networks=_said(parts.get("networks", "")),
        volumes=_said(parts.get("volumes", "")),
        current=parts.get("current", ""),
        history=history,
        asleep=read_marker(parts.get(SECTION, ""), history.current) is not None,
    )


def _said(text: str) -> frozenset[str] | None:
    """The words of a list that was printed to its end; None if it was not."""
    *words, last = text.split() or [""]
    return frozenset(words) if last == _SAID.split()[1] else None
