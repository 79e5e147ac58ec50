"""What becomes of each mount: it ships, it is shared with the service, it is the droplet's own, or a volume."""

from collections.abc import Iterator, Mapping
from typing import Any

from flows.core.explanation.explanation import ExplainedMount, MountFate
from flows.core.explanation.reading import MountedContent, ReadStack
from flows.core.release.shipment import counted, named_few
from flows.core.stack.files.mounts import Rule
from flows.core.stack.stack import Mount, inside

_WORDS: Mapping[MountFate, str] = {
    "given": "by the environment block: it does not ship",
    "droplet": "the droplet's own: left alone, and must be there",
    "volume": "a named volume on the droplet: kept, never removed",
    "external volume": "a volume that is not the stack's: must be there before the release (docker volume create)",
    "anonymous volume": "a volume without a name: give it one, if what is written there must last",
    "memory": "memory: gone when the container stops",
    "refused": "refused: it holds the compose files, and services write there",
}
_OTHERS = {"npipe": "a named pipe of the droplet", "image": "an image", "cluster": "a cluster volume"}

_RULES: Mapping[Rule, str] = {
    "keep": "the service's version stays",
    "take": "the release's version is taken",
    "refuse": "the release is refused",
}
_BOTH_CHANGED = "a file that both have changed"

_ORDER: tuple[MountFate, ...] = (
    "ships", "shared", "given", "droplet", "volume", "external volume", "anonymous volume", "memory", "refused",
    "other",
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
    explained = (_explained(read, source, fate, targets) for (source, fate, _), targets in found.items())
    return tuple(sorted(explained, key=lambda one: (_ORDER.index(one.fate), one.source)))


def _explained(read: ReadStack, source: str, fate: MountFate, targets: Mapping[str, str]) -> ExplainedMount:
    content = read.mounted.get(source) if fate in ("ships", "shared") else None
    name, words = _name(read, source, fate), _words(read, source, fate, content)
    notes = (*_left(read, content), *(_rules(read, source) if fate == "shared" else ()))
    return ExplainedMount(
        name, fate, words, targets, content.files if content else 0, content.size if content else 0, notes
    )


def _left(read: ReadStack, content: MountedContent | None) -> Iterator[str]:
    """What of a mount does not ship."""
    if content and content.given:
        yield f"{named_few([read.shown(path) for path in content.given])}: by the environment block, not with it"
    reasons: dict[str, list[str]] = {}
    for path, why in (content.left_out if content else {}).items():
        reasons.setdefault(why, []).append(read.shown(path))
    yield from (f"{named_few(paths)}: left out, {why}" for why, paths in reasons.items())


def _rules(read: ReadStack, source: str) -> Iterator[str]:
    """What becomes of files that both the release and a service have changed, where the stack says so."""
    for path, rule in read.sources.rules.items():
        if inside(path, source):
            place = "" if path == source else f" in {read.shown(path)}"
            yield f"{_BOTH_CHANGED}{place}: {_RULES[rule]} (x-slipway.mounts)"


def _fate(read: ReadStack, mount: Mount) -> tuple[str, MountFate]:
    """The source of a mount, and what becomes of it."""
    if mount.kind == "bind":
        return mount.source, _fate_of_path(read, mount.source)
    if mount.kind == "tmpfs":
        return "", "memory"
    if mount.kind != "volume":
        return mount.source or mount.kind, "other"
    return _fate_of_volume(read, mount) if mount.source else ("", "anonymous volume")


def _fate_of_volume(read: ReadStack, mount: Mount) -> tuple[str, MountFate]:
    spec = _volume(read, mount.source)
    device = str((spec.get("driver_opts") or {}).get("device") or "")
    if device in read.astray:
        return device, "refused"
    if device.startswith("/") and any(inside(device, path) for path in read.sources.state):
        return device, "shared"
    return mount.source, "external volume" if spec.get("external") else "volume"


def _fate_of_path(read: ReadStack, path: str) -> MountFate:
    if path in read.astray:
        return "refused"
    if path in {entry.path for entry in read.sources.environment_files}:
        return "given"
    if any(inside(path, one) for one in read.sources.state):
        return "shared"
    return "ships" if any(inside(path, one) for one in read.sources.shipped) else "droplet"


def _name(read: ReadStack, source: str, fate: MountFate) -> str:
    if fate in ("ships", "shared", "given", "refused"):
        return read.shown(source)
    return source or ("in memory" if fate == "memory" else "no name")


def _words(read: ReadStack, source: str, fate: MountFate, content: MountedContent | None) -> str:
    amount = counted(content.files, content.size) if content else ""
    if fate == "ships":
        return f"ships with the release{amount and f': {amount}'}"
    if fate == "shared":
        brought = amount if content and content.files else "nothing" if content else "what the repository has there"
        kept = f"{_BOTH_CHANGED}: {_RULES['keep']}" if not read.sources.rules.get(source) else ""
        return "; ".join(filter(None, (
            f"the repository's and the service's: the release brings {brought}",
            "what services write there stays", kept,
        )))  # fmt: skip
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
