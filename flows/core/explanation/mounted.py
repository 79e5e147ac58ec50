"""What becomes of each mount: it ships, it is shared with the service, it is the droplet's own, or a volume."""

from collections.abc import Mapping
from typing import Any

from flows.core.explanation.explanation import ExplainedMount, MountFate
from flows.core.explanation.reading import ReadStack
from flows.core.stack.stack import Mount, inside

_WORDS: Mapping[MountFate, str] = {
    "droplet": "the droplet's own: left alone, and must be there",
    "volume": "a named volume on the droplet: kept, never removed",
    "external volume": "a volume that is not the stack's: must be there before the release (docker volume create)",
    "anonymous volume": "a volume without a name: give it one, if what is written there must last",
    "memory": "memory: gone when the container stops",
    "refused": "refused: it holds the compose files, and services write there",
}
_OTHERS = {"npipe": "a named pipe of the droplet", "image": "an image", "cluster": "a cluster volume"}

_ORDER: tuple[MountFate, ...] = (
    "ships", "shared", "droplet", "volume", "external volume", "anonymous volume", "memory", "refused", "other",
)  # fmt: skip


def explain_mounts(read: ReadStack) -> tuple[ExplainedMount, ...]:
    """Every mount of the services that are switched on, those of one source together."""
    found: dict[tuple[str, MountFate, str], dict[str, str]] = {}
    for name, service in sorted(read.stack.services.items()):
        for mount in service.mounts:
            source, fate = _fate(read, mount)
            alone = name if fate in ("anonymous volume", "memory") else ""
            targets = found.setdefault((source, fate, alone), {})
            targets[name] = ", ".join(filter(None, (targets.get(name), mount.target)))
    explained = (
        ExplainedMount(
            _name(read, source, fate), fate, _words(read, source, fate), targets, *read.mounted.get(source, (0, 0))
        )
        for (source, fate, _), targets in found.items()
    )
    return tuple(sorted(explained, key=lambda one: (_ORDER.index(one.fate), one.source)))


def _fate(read: ReadStack, mount: Mount) -> tuple[str, MountFate]:
    """The source of a mount, and what becomes of it."""
    if mount.kind == "bind":
        return mount.source, _fate_of_path(read, mount.source)
    if mount.kind == "tmpfs":
        return "", "memory"
    if mount.kind != "volume":
        return mount.source or mount.kind, "other"
    if not mount.source:
        return "", "anonymous volume"
    spec = _volume(read, mount.source)
    device = str((spec.get("driver_opts") or {}).get("device") or "")
    if device.startswith("/") and any(inside(device, path) for path in read.sources.state):
        return device, "shared"
    return mount.source, "external volume" if spec.get("external") else "volume"


def _fate_of_path(read: ReadStack, path: str) -> MountFate:
    if path in read.astray:
        return "refused"
    if any(inside(path, one) for one in read.sources.state):
        return "shared"
    return "ships" if any(inside(path, one) for one in read.sources.shipped) else "droplet"


def _name(read: ReadStack, source: str, fate: MountFate) -> str:
    if fate in ("ships", "shared", "refused"):
        return read.shown(source)
    return source or ("in memory" if fate == "memory" else "no name")


def _words(read: ReadStack, source: str, fate: MountFate) -> str:
    files, size = read.mounted.get(source, (0, 0))
    if fate == "ships":
        return f"ships with the release: {_counted(files, size)}"
    if fate == "shared":
        brought = f"the release brings {_counted(files, size)}" if files else "the release brings nothing there"
        return f"belongs to both: {brought}, and what services write there stays"
    if fate == "other":
        return _OTHERS.get(source, "left to Compose")
    more = {"droplet": _socket(source), "volume": _device(_volume(read, source))}
    return _WORDS[fate] + more.get(fate, "")


def _volume(read: ReadStack, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (read.config.get("volumes") or {}).get(name) or {}
    return found


def _socket(path: str) -> str:
    return ". Who is given the engine's socket may do anything on the droplet" if path.endswith("/docker.sock") else ""


def _device(spec: Mapping[str, Any]) -> str:
    device = (spec.get("driver_opts") or {}).get("device")
    return f", on {device}" if device else ""


def _counted(files: int, size: int) -> str:
    """A number of files and their size, in words."""
    unit, factor = next(((u, f) for u, f in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)) if size >= f), ("bytes", 1))
    return f"{files:,} file{'s' * (files != 1)}, {size / factor:,.{0 if factor == 1 else 1}f} {unit}"
