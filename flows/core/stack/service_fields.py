"""The fields of a service as `docker compose config` prints them, read into plain values."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_SIZE = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,6})?)([bkmgt]?)b?")
SECRETS_TARGET = "/run/secrets"


@dataclass(frozen=True)
class SecretMount:
    """A secret that a service is given: where, and with which permission bits, None if it does not say."""

    name: str
    target: str
    mode: int | None = None


def ports(spec: Mapping[str, Any]) -> tuple[int, ...]:
    """The TCP ports inside the container, published ones first."""
    published = [int(entry["target"]) for entry in spec.get("ports") or () if entry.get("protocol", "tcp") == "tcp"]
    exposed = [int(str(port).split("/")[0]) for port in spec.get("expose") or () if "-" not in str(port)]
    return tuple(dict.fromkeys([*published, *exposed]))


def deploy_restart(spec: Mapping[str, Any]) -> str:
    """As Compose maps it: its own words stay, and without a condition nothing is restarted."""
    policy = ((spec.get("deploy") or {}).get("restart_policy") or {}).get("condition") or ""
    return {"any": "always", "none": "no"}.get(policy, policy)


def replicas(spec: Mapping[str, Any]) -> int:
    """How many containers it should have."""
    replicas = spec.get("scale", (spec.get("deploy") or {}).get("replicas", 1))
    return 1 if replicas is None else int(replicas)


def memory_limit(spec: Mapping[str, Any]) -> int:
    """The bytes of memory that one of its containers may use; 0 where there is no limit.

    Compose prints bytes; a size with a unit is what a person writes (docs.docker.com, Specifying byte values).
    """
    limits = ((spec.get("deploy") or {}).get("resources") or {}).get("limits") or {}
    found = _SIZE.fullmatch(str(spec.get("mem_limit") or limits.get("memory") or "").strip().lower())
    return int(float(found[1]) * 1024 ** "bkmgt".index(found[2] or "b")) if found else 0


def names(entries: Any) -> tuple[str, ...]:
    """The names of the configs it is given."""
    return tuple(entry["source"] if isinstance(entry, Mapping) else entry for entry in entries or ())


def secrets(entries: Any) -> tuple[SecretMount, ...]:
    """The secrets it is given."""
    found = []
    for entry in entries or ():
        spec = entry if isinstance(entry, Mapping) else {"source": entry}
        mode = spec.get("mode")
        target = spec.get("target") or f"{SECRETS_TARGET}/{spec['source']}"
        found.append(SecretMount(spec["source"], target, int(mode, 8) if isinstance(mode, str) else mode))
    return tuple(found)


def seccomp_profiles(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """The files with seccomp profiles, as they are named: Compose reads them when it makes the container."""
    found = [re.fullmatch(r"seccomp[=:](.+)", str(option)) for option in spec.get("security_opt") or ()]
    return tuple(match[1] for match in found if match and match[1] not in ("unconfined", "builtin"))


def words(value: Any) -> tuple[str, ...]:
    """A command as its words."""
    if isinstance(value, str):
        return tuple(value.split())
    return tuple(str(word) for word in value or ())


def at_home(config: Mapping[str, Any]) -> frozenset[str]:
    """The services that run on the data home, of a stack as Compose resolved it."""
    said = {name: spec.get("x-slipway") for name, spec in config["services"].items()}
    return frozenset(name for name, one in said.items() if isinstance(one, Mapping) and one.get("data") == "home")


def ties(spec: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What needs another service on the same droplet: the field, the word that stands there, the other service."""
    of_service = "service:"
    for field in ("network_mode", "ipc", "pid", "uts", "cgroup"):
        word = str(spec.get(field) or "")
        if word.startswith(of_service):
            yield field, word, word.removeprefix(of_service)
    for word in map(str, spec.get("volumes_from") or ()):
        if not word.startswith("container:"):
            yield "volumes_from", word, word.partition(":")[0]
    for word in map(str, spec.get("links") or ()):
        yield "links", word, word.partition(":")[0]
    for word in map(str, ((spec.get("build") or {}).get("additional_contexts") or {}).values()):
        if word.startswith(of_service):
            yield "build", word, word.removeprefix(of_service)


def sources(entries: Any, key: str) -> dict[str, str]:
    """Secret or config → what stands under this key of it: a path, the name of a variable, a content."""
    return {name: str(entry[key]) for name, entry in (entries or {}).items() if entry and entry.get(key) is not None}


def unescape(value: Any) -> Any:
    """The value with `$` for each `$$` that Compose prints."""
    if isinstance(value, str):
        return value.replace("$$", "$")
    if isinstance(value, Mapping):
        return {key: unescape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [unescape(item) for item in value]
    return value
