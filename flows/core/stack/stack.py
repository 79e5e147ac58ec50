"""The stack: one Compose project as `docker compose config` resolves it."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from flows.core.errors import BadExtension, UnknownService
from flows.core.stack import service_fields as fields
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
    """One service of the stack.

    Args:
        depends_on: each service of the stack it waits for → the condition.
        network: `network_mode`, '' for networks of its own.
        seccomp: files that Compose reads when it makes its container, as it names them from the project's directory.
        memory: bytes that one of its containers may use; 0 without a limit.
    """

    name: str
    image: str
    build: Build | None
    mounts: tuple[Mount, ...]
    ports: tuple[int, ...]
    secrets: tuple[fields.SecretMount, ...]
    configs: tuple[str, ...]
    depends_on: Mapping[str, str] = field(hash=False)
    restart: str
    replicas: int
    words: tuple[str, ...]
    environment: Mapping[str, str] = field(hash=False)
    extension: Extension = field(hash=False)
    network: str = ""
    seccomp: tuple[str, ...] = ()
    memory: int = 0

    @property
    def secret_names(self) -> tuple[str, ...]:
        """The secrets it is given, each once."""
        return tuple(dict.fromkeys(secret.name for secret in self.secrets))

    @property
    def probe_port(self) -> int | None:
        """The container port to probe: that of `x-slipway`, else the only one the service has."""
        if self.extension.port is not None:
            return self.extension.port
        return self.ports[0] if len(self.ports) == 1 else None

    @property
    def probe_host(self) -> str:
        """The Host header of probes: the one named, else what the service's own healthcheck would send.

        The address of today's container stands in nobody's list of allowed hosts; `localhost` does in most.
        """
        return self.extension.host or f"localhost:{self.probe_port}"


@dataclass(frozen=True)
class Stack:
    """One Compose project and its active services.

    Args:
        secret_variables, config_variables: secret or config → the variable that holds it.
        config_contents: config → its content, where the compose file itself holds it.
    """

    name: str
    services: Mapping[str, Service] = field(hash=False)
    secret_files: Mapping[str, str] = field(hash=False)
    config_files: Mapping[str, str] = field(hash=False)
    secret_variables: Mapping[str, str] = field(default_factory=dict, hash=False)
    config_variables: Mapping[str, str] = field(default_factory=dict, hash=False)
    config_contents: Mapping[str, str] = field(default_factory=dict, hash=False)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Stack":
        """The stack of the output of `docker compose config` (YAML, in which `$$` is a `$`).

        Raises:
            BadExtension: an `x-slipway` does not fit.
        """
        plain = fields.unescape(config)
        specs = plain["services"]
        services = {name: _service(plain["name"], name, spec, specs) for name, spec in specs.items()}
        secrets, configs = plain.get("secrets"), plain.get("configs")
        return cls(
            name=plain["name"],
            services=services,
            secret_files=fields.sources(secrets, "file"),
            config_files=fields.sources(configs, "file"),
            secret_variables=fields.sources(secrets, "environment"),
            config_variables=fields.sources(configs, "environment"),
            config_contents=fields.sources(configs, "content"),
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


def _service(project: str, name: str, spec: Mapping[str, Any], active: Container[str]) -> Service:
    extension = read_extension(name, spec.get("x-slipway"))
    build = spec.get("build")
    service = Service(
        name=name,
        image=spec.get("image") or f"{project}-{name}",
        build=Build(build.get("context", "."), build) if build else None,
        mounts=tuple(_mount(entry) for entry in spec.get("volumes") or ()),
        ports=fields.ports(spec),
        secrets=fields.secrets(spec.get("secrets")),
        configs=fields.names(spec.get("configs")),
        # With `required: false` Compose names services that are switched off; nothing waits for these.
        depends_on={k: v.get("condition", "") for k, v in (spec.get("depends_on") or {}).items() if k in active},
        restart=str(spec.get("restart") or fields.deploy_restart(spec)),
        replicas=fields.replicas(spec),
        words=(*fields.words(spec.get("entrypoint")), *fields.words(spec.get("command"))),
        environment={key: str(value) for key, value in (spec.get("environment") or {}).items() if value is not None},
        extension=extension,
        network=spec.get("network_mode") or "",
        seccomp=fields.seccomp_profiles(spec),
        memory=fields.memory_limit(spec),
    )
    if extension.probed and service.network == "none":
        raise BadExtension(
            f"service {name}: x-slipway: it has no network (network_mode: none), so nothing can probe it. "
            "Take port, health, mcp and workflow away"
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


def inside(path: str, directory: str) -> bool:
    """Whether `path` is `directory` or lies below it (both absolute and normal)."""
    return PurePosixPath(path).is_relative_to(directory)
