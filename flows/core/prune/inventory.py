"""The inventory of a droplet that pruning decides by: one script, and its output as values."""

import json
import posixpath
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.core.answers import reads
from flows.core.droplet.containers import ONE_OFF_LABEL, SERVICE_LABEL
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.docker_commands import PROJECT_LABEL
from flows.core.droplet.sections import section_script, sections
from flows.core.records.history import History
from flows.core.records.storage import history_sections, read_records
from flows.core.release.bundle import DOCUMENT
from flows.core.release.role import neighbours, whole_stack

NUMBER_LABEL = "com.docker.compose.container-number"
_COMPLETE = "complete"
_FILE = "@@document:"
_DOCUMENT = re.compile(rf"^{_FILE}(.*)\n", re.MULTILINE)
_RELEASE = re.compile(r"(?:^|/)releases/([^/]+)")


@dataclass(frozen=True)
class ContainerEntry:
    """A container of any project. `image` is an image id; project, service, one_off and number are Compose's labels.

    A plain `docker run` of an image that Compose built has the project's and the service's label from the image;
    `one_off` ("True" or "False") and `number` are on containers that Compose itself made.
    """

    id: str
    name: str
    image: str
    state: str
    project: str = ""
    service: str = ""
    one_off: str = ""
    number: str = ""
    pid: int = 0

    @property
    def stopped(self) -> bool:
        """Whether no process of it runs. A paused or restarting one is not stopped."""
        return self.state in ("created", "exited", "dead")


@dataclass(frozen=True)
class LocalImage:
    """An image on the droplet. `project` is Compose's label on what it builds; `size` counts shared layers too."""

    id: str
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    project: str = ""
    size: int = 0

    @property
    def name(self) -> str:
        """A reference that a person may know the image by."""
        return next(iter((*self.tags, *self.digests, self.id)))


@dataclass(frozen=True)
class Inventory:
    """The containers, images and release directories of a droplet.

    Args:
        whole: whether every container was seen; one that came or went meanwhile may use any image.
        documents: release directory → its release document.
        incoming: what lies below `incoming/`.
        mounted: release directory → names of running containers that have files of it mounted.
        hidden: names of running containers whose mounts could not be seen.
        others: release documents of other parts of the stack: the data home's beside a colour, or the reverse. Images
            are the same for all of them, and carry the name of the whole stack.
    """

    stack: str
    containers: tuple[ContainerEntry, ...] = ()
    whole: bool = True
    images: tuple[LocalImage, ...] = ()
    documents: Mapping[str, str] = field(default_factory=dict)
    incoming: tuple[str, ...] = ()
    mounted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    others: Mapping[str, str] = field(default_factory=dict)


def inventory_script(directory: StackDirectory) -> str:
    """The script that prints the history and the inventory, and changes nothing. It exits 1 without an engine.

    Of containers and images only what is named here leaves the droplet: their environment holds secrets.
    A bind mount through `current` is resolved when a container starts, so a service that no release since has changed
    still has the files of an old one, and only the kernel knows of which: the fourth field of proc_pid_mountinfo(5).
    """
    listed = "; ".join(
        shlex.join(["docker", "image", "ls", "--quiet", "--no-trunc", "--filter", f"label={PROJECT_LABEL}={project}"])
        for project in sorted({directory.stack, whole_stack(directory.stack)})
    )
    beside = (StackDirectory(directory.directory, name) for name in neighbours(directory.stack))
    inspect = "docker inspect --type container --format"
    parts = {
        **history_sections(directory),
        "containers": f'{{ [ -z "$ids" ] || {inspect} {_CONTAINER} $ids; }} && echo {_COMPLETE}',
        "images": f'ids=$({listed}) && [ -n "$ids" ] && docker image inspect --format {_IMAGE} $ids',
        "mounts": f"[ -z \"$ids\" ] || for pid in $({inspect} '{{{{.State.Pid}}}}' $ids); do "
        '[ "$pid" = 0 ] || cut -d " " -f 4 "/proc/$pid/mountinfo" | sed "s|^|$pid |"; done',
        "documents": _documents(directory),
        "others": "; ".join(f"{{ {_documents(other)}; }}" for other in beside),
        "incoming": f"ls -A {shlex.quote(posixpath.join(directory.path, 'incoming'))} 2>/dev/null",
    }
    return f"ids=$(docker ps --all --quiet --no-trunc) || exit 1\n{section_script(parts)}"


def _documents(directory: StackDirectory) -> str:
    releases = shlex.quote(posixpath.join(directory.path, "releases"))
    printed = f'[ -f "$name/{DOCUMENT}" ] && echo "{_FILE}$name" && cat "$name/{DOCUMENT}" && echo'
    return f"cd {releases} 2>/dev/null && for name in *; do {printed}; done"


@reads("what the droplet has")
def read_inventory(output: str, stack: str) -> tuple[Inventory, History]:
    """Parse the output of `inventory_script`.

    Raises:
        ForeignRecord, NewerRecord: the droplet's records are not ours to go on with.
    """
    parts = sections(output)
    lines = parts.get("containers", "").splitlines()
    containers = tuple(_container(json.loads(line)) for line in lines if line != _COMPLETE)
    images = (json.loads(line) for line in parts.get("images", "").splitlines())
    mounted, hidden = _mounts(containers, parts.get("mounts", ""))
    inventory = Inventory(
        stack,
        containers,
        _COMPLETE in lines,
        tuple(_image(entry) for entry in images),
        _read_documents(parts.get("documents", "")),
        tuple(name for name in parts.get("incoming", "").splitlines() if name.strip(".")),
        mounted,
        hidden,
        _read_documents(parts.get("others", "")),
    )
    return inventory, read_records(parts, stack)


def _read_documents(text: str) -> dict[str, str]:
    pieces = _DOCUMENT.split(f"{text}\n")[1:]
    return dict(zip(pieces[::2], pieces[1::2], strict=True))


def _mounts(containers: tuple[ContainerEntry, ...], text: str) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    roots: dict[str, list[str]] = {}
    for line in text.splitlines():
        pid, _, root = line.partition(" ")
        roots.setdefault(pid, []).append(root)
    mounted: dict[str, tuple[str, ...]] = {}
    for container in containers:
        mine = (_RELEASE.search(root) for root in roots.get(str(container.pid), ()))
        for name in sorted({found[1] for found in mine if found}):
            mounted[name] = (*mounted.get(name, ()), container.name)
    return mounted, tuple(c.name for c in containers if c.pid and str(c.pid) not in roots)


@reads("what `docker image inspect` printed on the build host")
def read_strangers(printed: str, project: str) -> tuple[str, ...]:
    """The images, of those that were listed as a project's dangling ones, that have a tag or not its label."""
    entries = json.loads(printed)
    return tuple(
        str((entry.get("RepoTags") or [entry["Id"]])[0])
        for entry in entries
        if entry.get("RepoTags") or ((entry.get("Config") or {}).get("Labels") or {}).get(PROJECT_LABEL) != project
    )


def _container(entry: Any) -> ContainerEntry:
    return ContainerEntry(**{**entry, "name": entry["name"].lstrip("/")})


def _image(entry: Any) -> LocalImage:
    return LocalImage(
        entry["id"], tuple(entry["tags"] or ()), tuple(entry["digests"] or ()), entry["project"], entry["size"]
    )


def _template(**fields: str) -> str:
    """A Go template that prints one line of JSON."""
    inside = ",".join(f'"{name}":{{{{json {what}}}}}' for name, what in fields.items())
    return shlex.quote(f"{{{inside}}}")


def _label(name: str) -> str:
    return f'(index .Config.Labels "{name}")'


_CONTAINER = _template(
    id=".Id",
    name=".Name",
    image=".Image",
    state=".State.Status",
    project=_label(PROJECT_LABEL),
    service=_label(SERVICE_LABEL),
    one_off=_label(ONE_OFF_LABEL),
    number=_label(NUMBER_LABEL),
    pid=".State.Pid",
)
_IMAGE = _template(id=".Id", tags=".RepoTags", digests=".RepoDigests", project=_label(PROJECT_LABEL), size=".Size")
