"""What the mounts of a stack's services stand on: paths of the repository that are read, or that are written."""

import os.path
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flows.core.errors import BadExtension, BrokenStack
from flows.core.stack.stack import Mount, Service, Stack, inside

Rule = Literal["keep", "take", "refuse"]


@dataclass(frozen=True)
class Mounts:
    """Paths that services mount, absolute.

    Args:
        read: service → paths it only reads.
        written: service → paths it may write to.
        rules: path → what becomes of a file that both the release and a service have changed.
    """

    read: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    written: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    rules: Mapping[str, Rule] = field(default_factory=dict, hash=False)

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(
            dict.fromkeys(path for each in (self.read, self.written) for paths in each.values() for path in paths)
        )


def find_mounts(stack: Stack, project: str, volumes: Mapping[str, Any] | None) -> Mounts:
    """The paths of every service's mounts.

    Args:
        project: the compose project's directory.
        volumes: `volumes:` of the resolved stack. A volume whose device is a directory stands on that directory; it is
            mounted once for all that use it, so it counts as written.

    Raises:
        BadExtension: `x-slipway.mounts` names no mount, or two services disagree.
    """
    devices = _devices(volumes or {})
    read: dict[str, tuple[str, ...]] = {}
    written: dict[str, tuple[str, ...]] = {}
    rules: dict[str, Rule] = {}
    for service in stack.services.values():
        binds = [mount for mount in service.mounts if mount.kind == "bind"]
        volume_paths = [devices[m.source] for m in service.mounts if m.kind == "volume" and m.source in devices]
        read[service.name] = tuple(mount.source for mount in binds if mount.read_only)
        written[service.name] = (*(mount.source for mount in binds if not mount.read_only), *volume_paths)
        for path, rule in _rules(service, project, devices):
            if rules.setdefault(path, rule) != rule:
                raise BadExtension(
                    f"service {service.name}: x-slipway.mounts: {path} is '{rule}' here and '{rules[path]}' for "
                    "another service. It is one directory: say the same for both"
                )
    return Mounts(read, written, rules)


def outermost(paths: Iterable[str]) -> tuple[str, ...]:
    """Those that lie in none of the others."""
    found: list[str] = []
    for path in sorted(set(paths), key=lambda path: path.count("/")):
        if not any(inside(path, other) for other in found):
            found.append(path)
    return tuple(sorted(found))


def settle_state(read: Iterable[str], written: Iterable[str], compose_files: Iterable[str]) -> tuple[str, ...]:
    """The paths that outlive releases: those that services write to, and what is read around them.

    A directory that is read, with one inside that is written, is one to both: its readers see what is written.

    Raises:
        BrokenStack: it would hold the compose files.
    """
    state = outermost(written)
    around = [path for path in read if any(path != one and inside(one, path) for one in state)]
    for path in (*state, *around):
        if any(inside(file, path) for file in compose_files):
            what = "writes to" if path in state else "writes to a directory in"
            raise BrokenStack(
                f"a service {what} {path}, which holds the stack's compose files. What is written outlives a "
                "release, so it cannot be inside one: mount a directory below it, or a named volume"
            )
    return outermost((*state, *around))


def _devices(volumes: Mapping[str, Any]) -> dict[str, str]:
    """Named volumes that are a bind mount of a directory: volume → directory."""
    found = {}
    for name, spec in volumes.items():
        options = (spec or {}).get("driver_opts") or {}
        bound = {"bind", "rbind"} & set(str(options.get("o", "")).split(","))
        if bound and (spec or {}).get("driver") in (None, "local") and str(options.get("device", "")).startswith("/"):
            found[name] = os.path.normpath(options["device"])
    return found


def _rules(service: Service, project: str, devices: Mapping[str, str]) -> Iterator[tuple[str, Rule]]:
    for key, rule in service.extension.mounts.items():
        mount, path = _named(service, key, project, devices)
        if mount is None:
            raise BadExtension(
                f"service {service.name}: x-slipway.mounts: it has no mount {key}. Name one by its place in the "
                "container, or by its path as `volumes:` has it"
            )
        yield path, rule


def _named(service: Service, key: str, project: str, devices: Mapping[str, str]) -> tuple[Mount | None, str]:
    """The mount that a key names, and the path meant: the mount's own, or one below it."""
    given = os.path.normpath(os.path.join(project, key))
    for mount in service.mounts:
        source = devices.get(mount.source, "") if mount.kind == "volume" else mount.source
        if mount.kind not in ("bind", "volume") or not source:
            continue
        if key == mount.source and mount.kind == "volume":
            return mount, source
        if inside(given, source):
            return mount, given
        target = mount.target.rstrip("/") or "/"
        if key.startswith("/") and inside(os.path.normpath(key), target):
            return mount, os.path.normpath(os.path.join(source, os.path.relpath(os.path.normpath(key), target)))
    return None, ""
