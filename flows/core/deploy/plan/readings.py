"""What a plan compares: a stack as it stands on a droplet, and as a release would come there. Hashes, never values."""

import hashlib
import posixpath
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.core.answers import MALFORMED
from flows.core.deploy.content_labels import content_labels
from flows.core.droplet.containers import Container
from flows.core.droplet.directories import ENVIRONMENT, RESOLVED, StackDirectory
from flows.core.droplet.docker_commands import Compose
from flows.core.droplet.sections import sections
from flows.core.errors import BadRelease, UnreadableAnswer
from flows.core.release.bundle import FILES, TREE, File
from flows.core.release.release import Release
from flows.core.release.tree import Tree, read_tree
from flows.core.secrets.release_environment import OWN
from flows.core.stack.comparison import leaves
from flows.core.stack.compose_yaml import dump_compose, load_config
from flows.core.stack.env_files import parse
from flows.core.stack.stack import Stack

CONFIG_HASH = "com.docker.compose.config-hash"
CONTENT = "labels.dev.slipway.content"
# What Compose leaves out where it decides whether a container is made anew (ServiceHash in pkg/compose/hash.go).
_NOT_COMPARED = ("build", "depends_on", "develop", "profiles", "pull_policy", "scale")
_LARGEST_TREE = 1_000_000
Fields = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Standing:
    """What stands on a droplet.

    Args:
        fields: service → field → a hash of its value, as the droplet's Compose resolved the current release; None: not
            known.
        environment: variable → a hash of its value; None: not known.
        given: env or secret file → SHA-256 of its content.
        tree: the current release's files; None: not known.
        hashes: service → what the droplet's own Compose would note of it, as it comes; of none: not known.
    """

    fields: Fields | None = None
    environment: Mapping[str, str] | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    tree: Tree | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Coming:
    """What a release comes to on a droplet, as this host reads it.

    Args:
        version: of Compose here; '' where there is none, so that nothing of `fields` is known.
        unknown: services whose environment only the droplet knows.
        mounts: service → names of the release's files that it mounts; a directory stands for all below it.
        replicas: service → how many containers it has.
        shares: service → those whose network, processes or volumes it uses: it is made anew with them.
        waits_for: service → those that it depends on.
        restarts_with: service → those of them with which Compose restarts it.
        contents: service → the label that says what configs and secrets it is given.
        one_shots: services that end.
    """

    version: str = ""
    fields: Fields = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    environment: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    tree: Tree = field(default_factory=dict)
    mounts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    replicas: Mapping[str, int] = field(default_factory=dict)
    shares: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    waits_for: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    restarts_with: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    contents: Mapping[str, str] = field(default_factory=dict)
    one_shots: frozenset[str] = frozenset()


def standing_sections(directory: StackDirectory, release: Release, *, hashed: bool) -> dict[str, str]:
    """Section name → the command that prints it; nothing is changed.

    Args:
        release: what would come.
        hashed: the droplet's Compose is asked for the hashes of what it finds on standing input: see `hashed_config`.
    """
    at = shlex.quote(directory.current)
    given = shlex.join(entry.path for entry in release.environment_files)
    tree, small = f"{at}/{TREE}", f"-le {_LARGEST_TREE}"
    parts = {
        "resolved": f"cat {at}/{RESOLVED} 2>/dev/null",
        "variables": f"cat {at}/{ENVIRONMENT} 2>/dev/null",
        "given": f'cd {at}/{FILES} && for one in {given}; do sha256sum <"$one" || echo -; done 2>/dev/null'
        if given
        else ":",
        "tree": f'[ "$(wc -c <{tree})" {small} ] 2>/dev/null && cat {tree}',
    }
    if hashed:
        compose = Compose(release.stack, ("-",), release.profiles, "/dev/null", clean=True)
        parts["hashes"] = f"{shlex.join(compose('config', '--hash', '*'))} 2>/dev/null"
    return parts


def read_standing(output: str, directory: StackDirectory, current: str, release: Release) -> Standing:
    """Parse what `standing_sections` printed. What is damaged counts as not known: a look goes on without it.

    Args:
        current: name of the current release's directory; '' for none.
        release: what would come.
    """
    parts = sections(output)
    listed = [line.split() for line in parts.get("given", "").splitlines()]
    hashes = (line.split() for line in parts.get("hashes", "").splitlines())
    paths = [entry.path for entry in release.environment_files]
    found = {path: words[0] for path, words in zip(paths, listed, strict=False) if words and words[0] != "-"}
    environment = parse(parts["variables"]) if parts.get("variables") else None
    return Standing(
        _fields_there(parts.get("resolved", ""), directory.incoming(current)),
        _hashed(environment) if environment is not None else None,
        found,
        _tree(parts.get("tree", "")),
        {words[0]: words[1] for words in hashes if len(words) == 2},
    )


def coming(
    release: Release, config: Mapping[str, Any], version: str, unknown: frozenset[str],
    variables: Mapping[str, str], secrets: Mapping[str, File], tree: Tree,
) -> tuple[Coming, dict[str, Any]]:  # fmt: skip
    """What a release comes to, and its services with the labels that a deploy adds, for `hashed_config`.

    Args:
        config: the stack as Compose resolved it here, paths of the release beginning with `/files`.
        unknown: services whose environment only the droplet knows.
        variables: what the droplet's Compose would have for variables.
        secrets: env and secret files by their path below the release's files.
    """
    given = {path: hashlib.sha256(file.content).hexdigest() for path, file in secrets.items()}
    environment = _hashed(variables)
    if not version:
        return Coming(environment=environment, given=given, tree=tree), {}
    stack = Stack.from_config(config)
    labels = content_labels(stack, variables, release.services, release.stack)
    services = {name: _labelled(spec, labels.get(name)) for name, spec in config["services"].items()}
    return Coming(
        version, _fields(services), unknown, environment, given, tree,
        {name: tuple(_mounted(spec)) for name, spec in services.items()},
        {name: service.replicas for name, service in stack.services.items()},
        {name: tuple(_shared(spec)) for name, spec in services.items()},
        {name: tuple(spec.get("depends_on") or ()) for name, spec in services.items()},
        {name: tuple(_restarting(spec)) for name, spec in services.items()},
        labels, frozenset(stack.one_shots),
    ), services  # fmt: skip


def hashed_config(
    release: Release, config: Mapping[str, Any], services: Mapping[str, Any], directory: StackDirectory
) -> bytes:
    """The resolved stack for the droplet's Compose to hash, each path as it will be there. It holds secrets.

    Compose hashes the canonical form of a service, which is what it prints; so what was read here has the hash there
    that the same stack has once it is put there.
    """
    moved = {name: _moved(spec, directory.current) for name, spec in services.items()}
    return dump_compose({**config, "name": release.stack, "services": moved})


def container_hash(container: Container) -> str:
    """What Compose noted of a container's service when it made it."""
    return dict(container.labels).get(CONFIG_HASH, "")


def _fields_there(text: str, incoming: str) -> Fields | None:
    try:
        return _fields(load_config(text.replace(incoming, ""))["services"]) if text else None
    except (UnreadableAnswer, *MALFORMED):
        return None


def _fields(services: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    return {name: _hashed(dict(_compared(spec))) for name, spec in services.items()}


def _compared(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in leaves(dict(spec)):
        first = name.partition(".")[0].partition("[")[0]
        if first not in _NOT_COMPARED and not first.startswith("x-") and name != "deploy.replicas":
            yield name, value


def _labelled(spec: Mapping[str, Any], label: str | None) -> dict[str, Any]:
    mine = {**spec, "labels": {**(spec.get("labels") or {}), CONTENT.partition(".")[2]: label}} if label else spec
    return dict(mine)


def _moved(spec: Mapping[str, Any], current: str) -> dict[str, Any]:
    volumes = [
        {**mount, "source": f"{current}{mount['source']}"} if _is_of_release(mount) else mount
        for mount in spec.get("volumes") or ()
    ]
    return {**spec, "volumes": volumes} if volumes else dict(spec)


def _mounted(spec: Mapping[str, Any]) -> Iterator[str]:
    for mount in spec.get("volumes") or ():
        if _is_of_release(mount):
            yield posixpath.normpath(str(mount["source"])).lstrip("/")


def _is_of_release(mount: Any) -> bool:
    source = str(mount.get("source") or "")
    return bool(mount.get("type") == "bind" and (source == f"/{FILES}" or source.startswith(f"/{FILES}/")))


def _shared(spec: Mapping[str, Any]) -> Iterator[str]:
    for key in ("network_mode", "pid", "ipc"):
        kind, _, name = str(spec.get(key) or "").partition(":")
        if kind == "service" and name:
            yield name
    for entry in spec.get("volumes_from") or ():
        name = str(entry).partition(":")[0]
        if name != "container":
            yield name


def _restarting(spec: Mapping[str, Any]) -> Iterator[str]:
    for name, how in (spec.get("depends_on") or {}).items():
        if isinstance(how, Mapping) and how.get("restart"):
            yield name


def _tree(text: str) -> Tree | None:
    try:
        return read_tree(text.encode()) if text else None
    except BadRelease:
        return None


def _hashed(values: Mapping[str, str]) -> dict[str, str]:
    return {n: hashlib.sha256(v.encode()).hexdigest()[:16] for n, v in values.items() if n not in OWN}
