"""What two projects of one stack on one droplet must know of it: what the edge serves, and what has a fixed name."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flows.core.errors import NotSideBySide
from flows.core.stack.service_fields import at_home, replicas, unescape
from flows.core.stack.side_by_side.expose import Expose, Host, PathPrefix, Port
from flows.core.stack.side_by_side.ports import WIDTH

# Names as Compose has them (of what is in a project), as the engine has them, and as containers are found by.
Key = Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]+$", max_length=255)]
EngineName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]*$", max_length=255)]
Alias = Annotated[str, Field(pattern=r"^\S+$", max_length=253)]
_STRICT = ConfigDict(frozen=True, extra="forbid")


class Exposed(BaseModel):
    """A service that the edge serves: by which hosts and path, at which port of its containers, and how many."""

    model_config = _STRICT

    hosts: tuple[Host, ...] = Field(min_length=1, max_length=50)
    path: PathPrefix = "/"
    port: Port
    replicas: int = Field(1, ge=1, le=WIDTH)


class Network(BaseModel):
    """A network of the stack: its name in a project without a colour, what it takes to make it again, who is on it.

    `home` maps each service of the data home to the names by which it is found there, beside its own.
    """

    model_config = _STRICT

    name: Alias
    external: bool = False
    driver: str = ""
    driver_opts: Mapping[str, str] = {}
    internal: bool = False
    attachable: bool = False
    enable_ipv6: bool | None = None
    labels: Mapping[str, str] = {}
    home: Mapping[Key, tuple[Alias, ...]] = {}
    colour: tuple[Key, ...] = ()

    @property
    def shared(self) -> bool:
        """Whether the data home makes it for each colour: services of both are on it."""
        return bool(self.home and self.colour) and not self.external


class SideBySide(BaseModel):
    """All that is needed of a stack to run two projects of it, and its data home, on one droplet.

    `containers` are the fixed names of containers, `volumes` the names of volumes in a project without a colour, both
    of services that have one. `links` says which links of a service are left when those to the data home are taken
    away; services without such links are not in it.
    """

    model_config = _STRICT

    exposed: Mapping[Key, Exposed] = {}
    networks: Mapping[Key, Network] = {}
    containers: Mapping[Key, EngineName] = {}
    volumes: Mapping[Key, EngineName] = {}
    links: Mapping[Key, tuple[str, ...]] = {}


def side_by_side(config: Mapping[str, Any]) -> SideBySide:
    """What two projects must know of a stack.

    Args:
        config: the stack as Compose resolved it on the build host.

    Raises:
        NotSideBySide: a name in it is none that a droplet would take.
    """
    plain = unescape(config)
    specs: Mapping[str, Any] = dict(sorted(plain["services"].items()))
    home, stack = at_home(plain), str(plain["name"])
    colour = {name: spec for name, spec in specs.items() if name not in home}
    found = {
        "exposed": {
            name: {**expose.model_dump(), "replicas": max(1, replicas(spec))}
            for name, spec in colour.items()
            if (expose := exposure(spec))
        },
        "networks": {
            key: {
                **_definition(spec or {}),
                "name": (spec or {}).get("name") or f"{stack}_{key}",
                "home": _names_at_home(key, specs, home),
                "colour": [name for name in colour if key in networks_of(specs[name])],
            }
            for key, spec in sorted((plain.get("networks") or {}).items())
        },
        "containers": {name: spec["container_name"] for name, spec in colour.items() if spec.get("container_name")},
        "volumes": _volumes(plain.get("volumes") or {}, colour, stack),
        "links": {
            name: [link for link in spec["links"] if linked(link)[0] not in home]
            for name, spec in colour.items()
            if any(linked(link)[0] in home for link in spec.get("links") or ())
        },
    }
    try:
        return SideBySide.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise NotSideBySide(
            f"two colours of stack {stack} cannot run on one droplet: {'.'.join(map(str, first['loc']))}: "
            f"{first['msg']}. Give it another name in the compose file"
        ) from None


def exposure(spec: Mapping[str, Any]) -> Expose | None:
    """What the edge serves of a service, which was read as part of a stack before."""
    said = (spec.get("x-slipway") or {}).get("expose")
    return Expose.model_validate(said) if said else None


def networks_of(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """The networks that a service is on, and what it says of each."""
    return {key: said or {} for key, said in (spec.get("networks") or {}).items()}


def mounted_volumes(spec: Mapping[str, Any]) -> dict[str, bool]:
    """The named volumes of a service → whether it may write to them."""
    found: dict[str, bool] = {}
    for mount in spec.get("volumes") or ():
        if mount.get("type") == "volume" and mount.get("source"):
            found[mount["source"]] = found.get(mount["source"], False) or not mount.get("read_only")
    return found


def linked(link: str) -> tuple[str, str]:
    """Of a link the service, and the name by which it is called."""
    service, _, name = link.partition(":")
    return service, name or service


def _definition(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What makes a network again. Not its addresses: two networks cannot have the same."""
    flags = {field: bool(spec.get(field)) for field in ("external", "internal", "attachable")}
    words = {
        field: {k: "" if v is None else str(v) for k, v in (spec.get(field) or {}).items()}
        for field in ("driver_opts", "labels")
    }
    return {**flags, **words, "driver": spec.get("driver") or "", "enable_ipv6": spec.get("enable_ipv6")}


def _names_at_home(key: str, specs: Mapping[str, Any], home: frozenset[str]) -> dict[str, list[str]]:
    """Who of the data home is on a network, and how others call it there."""
    found: dict[str, list[str]] = {}
    for name in (name for name in specs if name in home and key in networks_of(specs[name])):
        own = [*(networks_of(specs[name])[key].get("aliases") or ()), specs[name].get("container_name")]
        links = [linked(link) for n, spec in specs.items() if n not in home for link in spec.get("links") or ()]
        called = [*own, *(alias for service, alias in links if service == name)]
        found[name] = list(dict.fromkeys(alias for alias in called if alias and alias != name))
    return found


def _volumes(declared: Mapping[str, Any], colour: Mapping[str, Any], stack: str) -> dict[str, str]:
    used = {volume for spec in colour.values() for volume in mounted_volumes(spec)}
    named = {key: spec or {} for key, spec in sorted(declared.items()) if key in used}
    return {key: spec.get("name") or f"{stack}_{key}" for key, spec in named.items() if not spec.get("external")}
