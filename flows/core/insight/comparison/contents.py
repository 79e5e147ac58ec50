"""What a release holds, for a comparison: images, files, settings and the names of environment keys."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.core.release.bundle import DOCUMENT, FILES, OVERRIDE, SEED, TREE, File
from flows.core.release.release import Release
from flows.core.release.tree import Entry, Tree
from flows.core.secrets.masking import Mask, container_values, is_secret_name

HIDDEN = "(not shown)"
# What stands elsewhere in a comparison, or changes nothing that runs.
_ELSEWHERE = ("image", "build", "environment", "env_file")
_LONGEST = 200
# Behind it stands a hash that tells two values apart which are not shown.
_TOLD_APART = "\0"


@dataclass(frozen=True)
class ReleaseContents:
    """What one release holds.

    Args:
        called: how it was asked for.
        files: place → kind, mode and what it holds; of a file from the environment block no content is known.
        settings: service → setting → its value as it is written, secrets left out; None: not known.
        keys: service → environment key → a hash of what is written; None: not known.
        networks: those and volumes, configs and secrets of the stack, as settings.
        variables: variable of a droplet's environment → a hash of its value; None: it is no droplet's.
        packages: image → `kind name` → version, of those that have an SBOM.
        notes: what is not known of it, and why.
    """

    called: str
    release: Release
    files: Tree = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, str]] | None = None
    keys: Mapping[str, Mapping[str, str]] | None = None
    networks: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] | None = None
    packages: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def size(self, service: str) -> int | None:
        """Compressed bytes of a service's image; None where it has none, or its layers are not known."""
        reference = self.release.services.get(service, "")
        layers = self.release.images[reference].layers if reference else ()
        return sum({layer.digest: layer.size for layer in layers}.values()) if layers else None


def all_files(own: Mapping[str, File], tree: Tree) -> dict[str, Entry]:
    """Every file of a release by its place: those that are mounted, and those that are read, such as compose files."""
    found = {
        name: Entry("file", file.mode, len(file.content), hashlib.sha256(file.content).hexdigest())
        for name, file in own.items()
        if name not in (DOCUMENT, OVERRIDE, TREE)
    }
    whole = {**found, **{name: entry for name, entry in tree.items() if entry.kind != "directory"}}
    return {name.removeprefix(f"{FILES}/").removeprefix(f"{SEED}/"): entry for name, entry in whole.items()}


def written_settings(config: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Service → setting → its value as it is written in the compose files, with what looks secret left out.

    Args:
        config: the stack as Compose merges it, variables left as they are.
    """
    return {name: dict(_settings(spec)) for name, spec in (config.get("services") or {}).items()}


def written_keys(config: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Service → environment key → a hash of what is written for it; no value leaves here."""
    found = {}
    for name, spec in (config.get("services") or {}).items():
        given = spec.get("environment") or {}
        pairs = given.items() if isinstance(given, Mapping) else (str(one).partition("=")[::2] for one in given)
        found[name] = {str(key): _hash(str(value)) for key, value in pairs}
    return found


def written_networks(config: Mapping[str, Any]) -> dict[str, str]:
    """Networks, volumes, configs and secrets of the stack, as settings."""
    parts = {part: config.get(part) or {} for part in ("networks", "volumes", "configs", "secrets")}
    return {name: value for name, value in _leaves(parts) if value}


def _settings(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    command, entrypoint = spec.get("command"), spec.get("entrypoint")
    words = [str(w) for said in (command, entrypoint) for w in (said if isinstance(said, list) else [said]) if w]
    given = spec.get("environment") or {}
    mask = Mask(container_values({k: str(v) for k, v in given.items()} if isinstance(given, Mapping) else {}, words))
    for name, value in _leaves({key: value for key, value in spec.items() if key not in _ELSEWHERE}):
        yield name, value if mask(value) == value else f"{mask(value)}{_TOLD_APART}{_hash(value)}"


def _leaves(value: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, str]]:
    for key, item in value.items():
        name = f"{at}.{key}" if at else str(key)
        if isinstance(item, Mapping) and item:
            yield from _leaves(item, name)
        elif is_secret_name(str(key)) or (name.startswith("configs.") and key == "content"):
            yield name, f"{HIDDEN}{_TOLD_APART}{_hash(json.dumps(item, default=str))}"
        else:
            yield name, _text(item)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        return ", ".join(map(str, value))
    if isinstance(value, list):
        return ", ".join(_text(one) for one in value)
    if isinstance(value, Mapping):
        return " ".join(f"{key}={_text(item)}" for key, item in value.items() if item not in (None, {}, []))
    return json.dumps(value, default=str)


def shown_value(value: str) -> str:
    """A setting as a table shows it: what is hidden without the hash that tells it from another, and cut."""
    said = value.partition(_TOLD_APART)[0]
    return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 1]}…"


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:16]
