"""A plain Compose project as it runs on a droplet: the script that prints it, and its output as values."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from flows.core.answers import reads
from flows.core.droplet.containers import ONE_OFF_LABEL, SERVICE_LABEL
from flows.core.droplet.docker_commands import PROJECT_LABEL, project_containers
from flows.core.droplet.sections import section_script, sections
from flows.core.traffic.edge.places import PROJECT

MOST = 500
NETWORK_ID = CONTAINER_ID = r"^[0-9a-f]{64}$"
ENGINE_NAME = r"^[a-zA-Z0-9][a-zA-Z0-9_.-]*$"
RESTART = r"^(no|always|unless-stopped|on-failure(:[0-9]{1,9})?)$"
_NETWORK = re.compile(r"([0-9a-f]{64}) ([a-zA-Z0-9][a-zA-Z0-9_.-]{0,254})")
_NAMELESS = re.compile(r"[0-9a-f]{64}")
_WORKING_DIRECTORY = "com.docker.compose.project.working_dir"
_VOLUME_KEY = "com.docker.compose.volume"
_RUNS = ("running", "restarting", "paused")
_VOLUMES = '{{range .Mounts}}{{if eq .Type "volume"}}{{println .Name}}{{end}}{{end}}'
_SAID = ConfigDict(frozen=True, extra="ignore")


class _Mount(BaseModel):
    model_config = _SAID
    Type: str
    Name: str = Field("", pattern=rf"{ENGINE_NAME}|^$", max_length=255)
    Source: str = Field("", max_length=4096)
    Destination: str
    RW: bool = True


class _State(BaseModel):
    model_config = _SAID
    Status: str


class _Config(BaseModel):
    model_config = _SAID
    Labels: dict[str, str] | None = None


class _Restart(BaseModel):
    model_config = _SAID
    Name: str = ""
    MaximumRetryCount: int = Field(0, ge=0)


class _Binding(BaseModel):
    model_config = _SAID
    HostIp: str = ""
    HostPort: str = Field("", pattern=r"^[0-9]{0,5}(-[0-9]{1,5})?$")


class _Host(BaseModel):
    model_config = _SAID
    RestartPolicy: _Restart = _Restart()
    AutoRemove: bool = False
    PortBindings: dict[str, list[_Binding] | None] | None = None


class _Entry(BaseModel):
    model_config = _SAID
    Id: str = Field(pattern=CONTAINER_ID)
    Name: str = Field(pattern=r"^/?[a-zA-Z0-9][a-zA-Z0-9_.-]*$", max_length=256)
    State: _State
    Config: _Config
    HostConfig: _Host = _Host()
    Mounts: list[_Mount] | None = Field(None, max_length=MOST)


class _Volume(BaseModel):
    model_config = _SAID
    Name: str = Field(pattern=ENGINE_NAME)
    Labels: dict[str, str] | None = None
    Options: dict[str, str] | None = None


@dataclass(frozen=True)
class OldMount:
    """One mount of an old container: of a volume (`name`), or of a path of the droplet (`source`)."""

    kind: str
    name: str
    source: str
    target: str
    writable: bool

    @property
    def nameless(self) -> bool:
        """Whether it is a volume that was given no name."""
        return self.kind == "volume" and bool(_NAMELESS.fullmatch(self.name))


@dataclass(frozen=True)
class OldContainer:
    """One container of the project that is to be adopted.

    Args:
        state: as the engine says it.
        restart: its restart policy, as `docker update --restart` takes it.
        directory: the project's own, as Compose noted it.
        ports: published ones, each as `HOST PORT:CONTAINER PORT/PROTOCOL`.
    """

    id: str
    name: str
    service: str
    state: str
    one_off: bool
    restart: str
    removes_itself: bool
    directory: str
    mounts: tuple[OldMount, ...] = ()
    ports: tuple[str, ...] = ()

    @property
    def runs(self) -> bool:
        return self.state in _RUNS


@dataclass(frozen=True)
class OldVolume:
    """One volume of the project: its key in the compose file, and the directory it stands on, where it has one."""

    name: str
    key: str = ""
    device: str = ""
    empty: bool = False


@dataclass(frozen=True)
class OldProject:
    """A project as it runs now.

    Args:
        networks: id → name of those that it made.
        neighbours: parts of the stack (`shop-green`) that run on the droplet already.
        edge: whether the edge's containers are on it.
    """

    name: str
    containers: tuple[OldContainer, ...] = ()
    volumes: Mapping[str, OldVolume] = field(default_factory=dict, hash=False)
    networks: Mapping[str, str] = field(default_factory=dict, hash=False)
    neighbours: tuple[str, ...] = ()
    edge: bool = False

    @property
    def running(self) -> tuple[OldContainer, ...]:
        return tuple(one for one in self.containers if one.runs)


def project_script(project: str, parts: tuple[str, ...]) -> str:
    """The script that prints the project's containers, volumes and networks, and changes nothing.

    Args:
        parts: names of the projects that it is to become.
    """
    running = "; ".join(
        shlex.join(["docker", "ps", "--filter", f"label={PROJECT_LABEL}={part}", "--format", "{{.ID}}"])
        + f" | sed {shlex.quote('s|.*|' + part + '|')}"
        for part in parts
    )
    made = ["docker", "network", "ls", "--no-trunc", "--filter", f"label={PROJECT_LABEL}={project}"]
    return section_script({
        "containers": f'ids=$({shlex.join(project_containers(project))}) || exit; '
        '[ -z "$ids" ] || docker inspect $ids || true',
        "volumes": f"names=$([ -z \"$ids\" ] || docker inspect --format '{_VOLUMES}' $ids | grep . | sort -u); "
        '[ -z "$names" ] || docker volume inspect $names || true',
        "empty": "for name in $names; do point=$(docker volume inspect --format '{{.Mountpoint}}' \"$name\"); "
        '[ -r "$point" ] && [ -x "$point" ] && [ -z "$(ls -A "$point")" ] && echo "$name"; done',
        "networks": shlex.join([*made, "--format", "{{.ID}} {{.Name}}"]),
        "neighbours": running,
        "edge": shlex.join(project_containers(PROJECT)),
    }, ("containers", "volumes"))  # fmt: skip


@reads("what the droplet says of the project")
def read_project(output: str, project: str, parts: tuple[str, ...]) -> OldProject:
    """Parse the output of `project_script`."""
    said = sections(output)
    entries = [_Entry.model_validate(entry) for entry in _listed(said.get("containers", ""))]
    empty = set(said.get("empty", "").split())
    found = [_Volume.model_validate(volume) for volume in _listed(said.get("volumes", ""))]
    networks = dict(map(_network, filter(None, said.get("networks", "").splitlines())))
    running = set(said.get("neighbours", "").split())
    return OldProject(
        project,
        tuple(sorted(map(_container, entries), key=lambda one: (one.service, one.name))),
        {volume.Name: _volume(volume, empty) for volume in found},
        networks,
        tuple(part for part in parts if part in running),
        bool(said.get("edge", "").split()),
    )


def _listed(text: str) -> list[Any]:
    entries = json.loads(text or "[]")
    if not isinstance(entries, list) or len(entries) > MOST:
        raise TypeError
    return entries


def _container(entry: _Entry) -> OldContainer:
    labels, host = entry.Config.Labels or {}, entry.HostConfig
    policy = host.RestartPolicy.Name or "no"
    if policy == "on-failure" and host.RestartPolicy.MaximumRetryCount:
        policy = f"{policy}:{host.RestartPolicy.MaximumRetryCount}"
    if not re.fullmatch(RESTART, policy):
        raise ValueError
    return OldContainer(
        entry.Id,
        entry.Name.lstrip("/"),
        labels.get(SERVICE_LABEL, entry.Name.lstrip("/")),
        entry.State.Status,
        labels.get(ONE_OFF_LABEL) == "True",
        policy,
        host.AutoRemove,
        labels.get(_WORKING_DIRECTORY, ""),
        tuple(OldMount(m.Type, m.Name, m.Source, m.Destination, m.RW) for m in entry.Mounts or ()),
        tuple(
            f"{f'{binding.HostIp}:' if binding.HostIp else ''}{binding.HostPort}:{port}"
            for port, bindings in sorted((host.PortBindings or {}).items())
            for binding in bindings or ()
        ),
    )


def _network(line: str) -> tuple[str, str]:
    if not (found := _NETWORK.fullmatch(line)):
        raise ValueError
    return found[1], found[2]


def _volume(volume: _Volume, empty: set[str]) -> OldVolume:
    options = volume.Options or {}
    bound = {"bind", "rbind"} & set(options.get("o", "").split(","))
    device = options.get("device", "") if bound else ""
    return OldVolume(volume.Name, (volume.Labels or {}).get(_VOLUME_KEY, ""), device, volume.Name in empty)
