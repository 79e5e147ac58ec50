"""What of a project stands on a droplet, as fields; and how two of them differ."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.judge.containers import Container, Place, read_containers, read_parts
from tests.support.judge.trees import is_written, read_tree

ABSENT = "nothing"
# The mode of a secret without one, as Swarm has it.
READABLE = 0o444


@dataclass(frozen=True)
class Snapshot:
    """Containers with all that is mounted into them, networks and volumes of a project."""

    containers: Mapping[str, Container]
    fields: Mapping[str, str]
    entries: int


@dataclass(frozen=True)
class Difference:
    """One field that a release and plain Compose disagree about."""

    field: str
    released: str
    plain: str

    def __str__(self) -> str:
        return f"{self.field}: {self.released[:200]!r}, plain Compose has {self.plain[:200]!r}"


@dataclass(frozen=True)
class Given:
    """A config or secret of a service: where it is, and the mode that a release gives it; None: Compose's own."""

    target: str
    mode: int | None


def given_files(config: Mapping[str, Any]) -> dict[str, list[Given]]:
    """Service → its configs and secrets, by the stack as Compose resolves it."""
    found: dict[str, list[Given]] = {}
    for name, service in config["services"].items():
        found[name] = []
        for kind, base in (("configs", "/"), ("secrets", "/run/secrets/")):
            for entry in service.get(kind) or ():
                source = entry["source"]
                target = entry.get("target") or f"{base}{source}"
                target = target if target.startswith("/") else base + target
                mode = entry.get("mode")
                asked = int(mode, 8) if isinstance(mode, str) else mode
                is_file = kind == "secrets" and "file" in (config["secrets"][source] or {})
                found[name].append(Given(target, asked or READABLE if is_file else None))
    return found


def take_snapshot(
    droplet: str,
    project: str,
    place: Place,
    given: Mapping[str, list[Given]],
    written: Mapping[str, str],
    *,
    as_released: bool = False,
) -> Snapshot:
    """Read a project from a droplet.

    Args:
        given: the configs and secrets of its services.
        written: pattern of `SERVICE:PATH` → what the service does there; contents of such files are not compared.
        as_released: it is plain Compose's: secret files are given the mode that a release gives them.
    """
    containers = {n: c for n, c in read_containers(droplet, project, place).items() if c.service in given}
    fields = read_parts(droplet, project, place)
    entries = 0
    for name, container in containers.items():
        fields |= {f"{name}: {path}": value for path, value in container.fields.items()}
        targets = [t for kind, source, t in container.mounts
                   if kind == "volume" or (kind == "bind" and place.plain(source).startswith("<stack>"))]  # fmt: skip
        files = {one.target: one for one in given[container.service]}
        for target in dict.fromkeys([*targets, *files]):
            tree = read_tree(droplet, container, target)
            entries += sum(field.endswith(" kind") for field in tree)
            if as_released and target in files and files[target].mode is not None:
                tree = {**tree, f"{target} mode": f"{files[target].mode:o}"} if f"{target} mode" in tree else tree
            for field, value in tree.items():
                how = is_written(f"{container.service}:{field}", written)
                fields[f"{name}: {field}"] = f"<{how}>" if how and field.endswith(" content") else value
    return Snapshot(containers, fields, entries)


def differences(released: Mapping[str, str], plain: Mapping[str, str]) -> list[Difference]:
    """Every field that differs."""
    return [
        Difference(field, released.get(field, ABSENT), plain.get(field, ABSENT))
        for field in sorted(released.keys() | plain.keys())
        if released.get(field, ABSENT) != plain.get(field, ABSENT)
    ]
