"""The explanation of a stack: what becomes of each part of its compose files. It holds no value of any variable."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from typing import Any, Literal, TypeVar

T = TypeVar("T")
Origin = Literal["slipway", "env file", "include", "default", "nobody"]
MountFate = Literal[
    "ships", "shared", "given", "droplet", "volume", "external volume", "anonymous volume", "memory", "refused", "other"
]


@dataclass(frozen=True)
class ExplainedService:
    """A service that is switched on.

    Args:
        image: as the compose file has it.
        published_as: the name it is published under; '' for an image from elsewhere.
        variables, files, environment_files, secrets, configs, services: what restarts it when it changes, beside its
            image and its part of the compose file.
        every_release: the variables of Slipway that stand in it beside its image, so that each release restarts it.
        profiles: those of its profiles that are switched on.
        once: it may end with exit 0.
        probes: how it is probed; none: it is ready by what `ready` says.
    """

    name: str
    image: str
    published_as: str = ""
    built_by: str = ""
    variables: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    environment_files: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    configs: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    every_release: tuple[str, ...] = ()
    replicas: int = 1
    profiles: tuple[str, ...] = ()
    once: bool = False
    probes: tuple[str, ...] = ()
    ready: str = ""


@dataclass(frozen=True)
class ExplainedVariable:
    """A variable of the compose files: where its value comes from, which services use it, why that is (not) enough."""

    name: str
    origin: Origin
    source: str = ""
    services: tuple[str, ...] = ()
    refused: bool = False
    remark: str = ""


@dataclass(frozen=True)
class ExplainedMount:
    """Something that services mount. `mounted`: service → where; `what`: what becomes of it, in words; `notes`: what
    of it does not ship, and what becomes of files that both the release and a service have changed."""

    source: str
    fate: MountFate
    what: str
    mounted: Mapping[str, str]
    files: int = 0
    size: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExplainedContent:
    """An env file, a secret or a config: where its content comes from, in words, and who is given it."""

    kind: Literal["env file", "secret", "config"]
    name: str
    source: str
    services: tuple[str, ...] = ()
    builds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Remark:
    """One line about one thing."""

    subject: str
    text: str


@dataclass(frozen=True)
class Refusal:
    """What a release would refuse, in the words that it would have."""

    error: str
    message: str


@dataclass(frozen=True)
class Explanation:
    """What becomes of a compose file.

    Args:
        named_by: what gives the stack its name.
        switched_off: profiles that are not switched on, each with the services that are left out.
        steering: the variables that Compose takes as options of its own, followed or left out.
        reach: what is special about networks and ports.
        differences: what a release does otherwise than plain Compose, on purpose.
        promotion: what a promotion to a second colour would need.
        hints: what may help next.
    """

    stack: str
    named_by: str
    compose_files: tuple[str, ...]
    services: tuple[ExplainedService, ...] = ()
    switched_off: tuple[Remark, ...] = ()
    variables: tuple[ExplainedVariable, ...] = ()
    steering: tuple[Remark, ...] = ()
    mounts: tuple[ExplainedMount, ...] = ()
    contents: tuple[ExplainedContent, ...] = ()
    reach: tuple[Remark, ...] = ()
    differences: tuple[Remark, ...] = ()
    promotion: tuple[Remark, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    hints: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether a release would be accepted."""
        return not self.refusals

    def as_json(self) -> dict[str, Any]:
        """All of it as a JSON value."""
        return {"accepted": self.accepted, **asdict(self)}

    def masked(self, mask: Callable[[str], str]) -> "Explanation":
        """The same with every text in it masked."""
        return _masked(self, mask)


def _masked(value: T, mask: Callable[[str], str]) -> T:
    if isinstance(value, str):
        return mask(value)  # type: ignore[return-value]
    if isinstance(value, tuple):
        return tuple(_masked(item, mask) for item in value)  # type: ignore[return-value]
    if isinstance(value, Mapping):
        return {mask(key): _masked(item, mask) for key, item in value.items()}  # type: ignore[return-value]
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: _masked(getattr(value, field.name), mask) for field in fields(value)})
    return value
