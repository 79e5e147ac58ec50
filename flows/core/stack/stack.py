"""The stack: one Compose project as `docker compose config` resolves it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from flows.core.errors import BadExtension, UnknownService
from flows.core.stack.extension import Extension, read_extension


@dataclass(frozen=True)
class Mount:
    """One mount of a service. `source` is a host path for binds and a volume name for volumes ('' if anonymous)."""

    kind: str
    source: str
    target: str
    read_only: bool


@dataclass(frozen=True)
class Build:
    """The build of an image, as Compose resolved it (absolute paths, interpolated values)."""

    context: str
    spec: Mapping[str, Any] = field(hash=False)

    @property
    def local(self) -> bool:
        return self.context.startswith("/")


@dataclass(frozen=True)
class Service:
    """One service of the stack. `secrets` maps each secret to the permission bits asked for, None if none were."""

    name: str
    image: str
    build: Build | None
    mounts: tuple[Mount, ...]
    ports: tuple[int, ...]
    secrets: Mapping[str, int | None] = field(hash=False)
    configs: tuple[str, ...]
    depends_on: Mapping[str, str] = field(hash=False)
    restart: str
    replicas: int
    words: tuple[str, ...]
    environment: Mapping[str, str] = field(hash=False)
    extension: Extension = field(hash=False)

    @property
    def probe_port(self) -> int | None:
        """The container port to probe: that of `x-slipway`, else the only one the service has."""
        if self.extension.port is not None:
            return self.extension.port
        return self.ports[0] if len(self.ports) == 1 else None


@dataclass(frozen=True)
class Stack:
    """One Compose project and its active services."""

    name: str
    services: Mapping[str, Service] = field(hash=False)
    secret_files: Mapping[str, str] = field(hash=False)
    config_files: Mapping[str, str] = field(hash=False)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Stack":
        """The stack of the output of `docker compose config` (YAML, in which `$$` is a `$`).

        Raises:
            BadExtension: an `x-slipway` does not fit.
        """
        plain = _unescape(config)
        services = {name: _service(plain["name"], name, spec) for name, spec in plain["services"].items()}
        return cls(
            name=plain["name"],
            services=services,
            secret_files=_files(plain.get("secrets")),
            config_files=_files(plain.get("configs")),
        )

    def pick(self, wanted: tuple[str, ...]) -> tuple[Service, ...]:
        """The services of these names; all when none is given.

        Raises:
            UnknownService: with the names there are.
        """
        unknown = [name for name in wanted if name not in self.services]
        if unknown:
            raise UnknownService(
                f"stack {self.name} has no service {', '.join(unknown)}. "
                f"Its services: {', '.join(sorted(self.services))}"
            )
        return tuple(self.services[name] for name in (wanted or self.services))

    @property
    def awaited_to_complete(self) -> frozenset[str]:
        """Services whose completion others wait for."""
        return frozenset(
            name
            for service in self.services.values()
            for name, condition in service.depends_on.items()
            if condition == "service_completed_successfully"
        )

    @property
    def one_shots(self) -> frozenset[str]:
        """Services that may end with exit 0: others wait for their completion, or nothing restarts them."""
        unrestarted = {n for n, s in self.services.items() if s.restart.split(":")[0] in ("", "no", "on-failure")}
        return self.awaited_to_complete | unrestarted


def _service(project: str, name: str, spec: Mapping[str, Any]) -> Service:
    extension = read_extension(name, spec.get("x-slipway"))
    build = spec.get("build")
    service = Service(
        name=name,
        image=spec.get("image") or f"{project}-{name}",
        build=Build(build.get("context", "."), build) if build else None,
        mounts=tuple(_mount(entry) for entry in spec.get("volumes") or ()),
        ports=_ports(spec),
        secrets=_secrets(spec.get("secrets")),
        configs=_names(spec.get("configs")),
        depends_on={key: value.get("condition", "") for key, value in (spec.get("depends_on") or {}).items()},
        restart=str(spec.get("restart") or _deploy_restart(spec)),
        replicas=_replicas(spec),
        words=(*_words(spec.get("entrypoint")), *_words(spec.get("command"))),
        environment={key: str(value) for key, value in (spec.get("environment") or {}).items() if value is not None},
        extension=extension,
    )
    if extension.probed and service.probe_port is None:
        raise BadExtension(
            f"service {name}: x-slipway.port: needed, because the service has "
            f"{len(service.ports) or 'no'} ports. Name the container port to probe"
        )
    return service


def _mount(entry: Mapping[str, Any]) -> Mount:
    return Mount(
        kind=entry.get("type", "volume"),
        source=entry.get("source") or "",
        target=entry.get("target", ""),
        read_only=bool(entry.get("read_only")),
    )


def _ports(spec: Mapping[str, Any]) -> tuple[int, ...]:
    published = [int(entry["target"]) for entry in spec.get("ports") or () if entry.get("protocol", "tcp") == "tcp"]
    exposed = [int(str(port).split("/")[0]) for port in spec.get("expose") or () if "-" not in str(port)]
    return tuple(dict.fromkeys([*published, *exposed]))


def _deploy_restart(spec: Mapping[str, Any]) -> str:
    policy = ((spec.get("deploy") or {}).get("restart_policy") or {}).get("condition")
    return {"any": "always", "none": "no", "on-failure": "on-failure"}.get(policy or "", "")


def _replicas(spec: Mapping[str, Any]) -> int:
    replicas = spec.get("scale", (spec.get("deploy") or {}).get("replicas", 1))
    return 1 if replicas is None else int(replicas)


def _names(entries: Any) -> tuple[str, ...]:
    return tuple(entry["source"] if isinstance(entry, Mapping) else entry for entry in entries or ())


def _secrets(entries: Any) -> dict[str, int | None]:
    """Secret → the permission bits of its long form, if it has any."""
    found: dict[str, int | None] = {}
    for entry in entries or ():
        mode = entry.get("mode") if isinstance(entry, Mapping) else None
        name = entry["source"] if isinstance(entry, Mapping) else entry
        found[name] = int(str(mode), 8) if isinstance(mode, str) else mode
    return found


def _words(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(value.split())
    return tuple(str(word) for word in value or ())


def _files(entries: Any) -> dict[str, str]:
    return {name: entry["file"] for name, entry in (entries or {}).items() if entry.get("file")}


def _unescape(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("$$", "$")
    if isinstance(value, Mapping):
        return {key: _unescape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unescape(item) for item in value]
    return value


def inside(path: str, directory: str) -> bool:
    """Whether `path` is `directory` or lies below it (both absolute and normal)."""
    return PurePosixPath(path).is_relative_to(directory)
