"""What would mean something else on a droplet than here: names, home directories, ties across droplets."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flows.core.stack.service_fields import at_home, seccomp_profiles, ties

_DROPPED = (
    "its name begins with `x-`, and Compose takes that for an extension: it drops the rest of it where another file "
    "adds to it, as a release does. Give it another name"
)
_HOME = "`~` is the home directory of whoever runs Compose, so here it is another one than there. Write the whole path"
_HOME_PATH = re.compile(r"(?:^|/)(~(?:/.*)?)$")
_APART = (
    "one of the two runs on the data home (x-slipway.data: home) and the other on the colours, so on another droplet"
)
_TOGETHER = "Say `data: home` beside both or neither, or have {name} reach {other} by an address that a variable names"
_OWN_BUILD = "Say `data: home` beside both or neither, or start from its image in the Dockerfile (FROM)"


def means_otherwise(
    name: str, spec: Mapping[str, Any], config: Mapping[str, Any], shared: bool = False
) -> Iterator[tuple[str, str, str]]:
    """What of a service is refused for that: the field, a word that stands in it, and what is wrong with it.

    Args:
        config: the stack as Compose resolved it.
        shared: both colours and the data home are on one droplet, where a link is kept by an alias.
    """
    if name.startswith("x-"):
        yield "image" if spec.get("image") else "build", "", f"is of service {name}: {_DROPPED}"
    for field, path in _homes(spec, config):
        yield field, path, f"gives {path} to {name}: {_HOME}"
    home = at_home(config)
    for volume in (str(m.get("source") or "") for m in spec.get("volumes") or () if m.get("type") == "volume"):
        if volume.startswith("x-") and name in home:
            yield "volumes", volume, f"mounts the volume {volume} into {name}, on the data home: {_DROPPED}"
    for field, word, other in (tie for tie in ties(spec) if not (shared and tie[0] == "links")):
        if other in config["services"] and (other in home) != (name in home):
            choice = (_OWN_BUILD if field == "build" else _TOGETHER).format(name=name, other=other)
            yield field, word, f"ties {name} to {other} (`{field}: {word}`): {_APART}. {choice}"


def _homes(spec: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The paths that begin with `~`. Compose is told no home directory, so it takes that for a name like any other."""
    volumes, secrets, configs = (config.get(field) or {} for field in ("volumes", "secrets", "configs"))
    used: list[tuple[str, Any]] = []
    for mount in spec.get("volumes") or ():
        options = (volumes.get(mount.get("source")) or {}).get("driver_opts") or {}
        used.append(("volumes", mount.get("source") if mount.get("type") == "bind" else options.get("device")))
    for field, known in (("secrets", secrets), ("configs", configs)):
        names = [entry["source"] if isinstance(entry, Mapping) else entry for entry in spec.get(field) or ()]
        used += [(field, (known.get(name) or {}).get("file")) for name in names]
    used += [("security_opt", path) for path in seccomp_profiles(spec)]
    for field, path in used:
        if found := _HOME_PATH.search(str(path or "")):
            yield field, found[1]
