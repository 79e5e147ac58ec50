"""What becomes of each service of a droplet when a release comes, and why, as Compose would decide it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from flows.core.deploy.content_labels import CONTENT_LABEL
from flows.core.deploy.files.staging import SECRETS_LABEL
from flows.core.deploy.plan.readings import CONTENT, Coming, Standing, container_hash
from flows.core.droplet.containers import Container, by_service
from flows.core.droplet.versions import is_older, version
from flows.core.registry.references import split_reference
from flows.core.release.release import FILES_LABEL, Release
from flows.core.release.tree import Tree, below, shown

Becomes = Literal["new", "replaced", "restarted", "started", "runs again", "scaled", "left alone", "removed"]
_FILES, _SECRETS = f"labels.{FILES_LABEL}", f"labels.{SECRETS_LABEL}"
_SHOWN = 4
# Before, Compose made anew whatever depends on what it made anew (docker/compose#12122).
_ONLY_RESTARTED = "2.29.3"


@dataclass(frozen=True)
class ServiceChange:
    """What becomes of one service, and why, in words; `old` and `new` are its images."""

    service: str
    becomes: Becomes
    reasons: tuple[str, ...] = ()
    old: str = ""
    new: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "service": self.service, "becomes": self.becomes, "reasons": list(self.reasons),
            "old": self.old, "new": self.new,
        }  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """What stands, what comes, and by what it is told whether a service is made anew.

    Args:
        alike: the same version of Compose reads it here and there.
        follows: service → those with which it is made anew.
        anew: why everything is made anew, whatever has changed; '' otherwise.
    """

    release: Release
    containers: Mapping[str, Sequence[Container]]
    standing: Standing
    coming: Coming
    alike: bool
    follows: Mapping[str, tuple[str, ...]]
    anew: str = ""

    def changed(self, service: str) -> list[str]:
        """The fields of a service that differ, as far as both readings say them."""
        mine = dict(self.coming.fields.get(service, {}))
        theirs = dict((self.standing.fields or {}).get(service, {}))
        names = mine.keys() | theirs.keys() if self.alike else mine.keys() & theirs.keys()
        away = "environment" if service in self.coming.unknown else "\0"
        found = {n for n in names if mine.get(n) != theirs.get(n) and not n.startswith(away)} - {CONTENT}
        # No file of the release says it; the container does.
        noted = {dict(one.labels).get(CONTENT_LABEL) for one in self.containers.get(service, ())}
        return sorted(found | ({CONTENT} if noted != {self.coming.contents.get(service)} else set()))

    def replaced(self, service: str, others: Collection[str]) -> bool:
        """Whether Compose would make a service's containers anew.

        Args:
            others: those of which that is known already.
        """
        if any(one in others for one in self.follows.get(service, ())):
            return True
        # What it shares stands in the hash by the other container's id, which nobody can know before it is there.
        told = self.alike and service not in self.coming.unknown and not self.coming.shares.get(service)
        if told and (expected := self.standing.hashes.get(service)):
            return any(container_hash(one) != expected for one in self.containers[service])
        if self.standing.fields is not None and service in self.coming.fields:
            return bool(self.changed(service))
        return any(one.image != self.release.services[service] for one in self.containers[service])


def compare(
    release: Release, containers: Iterable[Container], standing: Standing, coming: Coming, compose: str, anew: str
) -> Comparison:
    """Set what stands against what comes.

    Args:
        compose: the version of Compose on the droplet.
    """
    alike = bool(coming.version) and version(coming.version) == version(compose)
    old = is_older(compose, _ONLY_RESTARTED)
    services = coming.shares.keys() | coming.waits_for.keys()
    follows = {n: (*coming.shares.get(n, ()), *(coming.waits_for.get(n, ()) if old else ())) for n in services}
    return Comparison(release, by_service(containers), standing, coming, alike, follows, anew)


def service_changes(c: Comparison) -> tuple[ServiceChange, ...]:
    """What becomes of every service, by name; of those that are scaled to nothing as well as of all others."""
    known = c.coming.replicas if c.coming.version else dict.fromkeys(c.release.services, 1)
    wanted = {n: ref for n, ref in c.release.services.items() if known.get(n, 0)}
    replaced: set[str] = set(c.containers) & set(wanted) if c.anew else set()
    for _ in wanted:  # what shares another's network follows it, and something may share its own
        if not (more := {n for n in wanted if n in c.containers and n not in replaced and c.replaced(n, replaced)}):
            break
        replaced |= more
    found = [_change(c, name, reference, replaced) for name, reference in wanted.items()]
    gone = [
        ServiceChange(name, "removed", ("the release does not have it",), mine[0].image)
        for name, mine in c.containers.items()
        if name not in wanted
    ]
    return tuple(sorted((*found, *gone), key=lambda one: one.service))


def _change(c: Comparison, name: str, new: str, replaced: Collection[str]) -> ServiceChange:
    mine = c.containers.get(name, ())
    old = mine[0].image if mine else ""
    becomes, reasons = ("new", []) if not mine else _becomes(c, name, replaced)
    if becomes == "replaced":
        reasons = list(_reasons(c, name, old, new, replaced))
    return ServiceChange(name, becomes, tuple(reasons), old, new)


def _becomes(c: Comparison, name: str, replaced: Collection[str]) -> tuple[Becomes, list[str]]:
    mine = c.containers[name]
    if name in replaced:
        return "replaced", []
    if with_ := [one for one in c.coming.restarts_with.get(name, ()) if one in replaced]:
        return "restarted", [f"it is restarted with {', '.join(with_)}"]
    if (count := c.coming.replicas.get(name, len(mine))) != len(mine):
        return "scaled", [f"{len(mine)} → {count} containers"]
    stopped = next((one.state for one in mine if one.state != "running"), "")
    if stopped and name in c.coming.one_shots:
        return "runs again", ["Compose starts what has ended"]
    return ("started", [f"it is {stopped}"]) if stopped else ("left alone", [])


def _reasons(c: Comparison, name: str, old: str, new: str, replaced: Collection[str]) -> Iterator[str]:
    if c.anew:
        yield c.anew
        return
    changed = c.changed(name) if c.standing.fields is not None else []
    if old != new:
        yield f"image {_short(old)} → {_short(new)}"
    if _FILES in changed:
        yield f"files: {_listed(_changed_files(c, name)) or 'what it mounts'}"
    if _SECRETS in changed:
        mine = c.release.secret_readers.get(name, ())
        yield f"secret files: {_listed(p for p in mine if differs(c.standing.given, c.coming.given, p)) or 'changed'}"
    if CONTENT in changed:
        yield "content of a config or secret"
    if keys := [field.partition(".")[2] for field in changed if field.startswith("environment.")]:
        yield f"environment: {_listed(keys)}"
    settings = {_setting(f) for f in changed if f not in (_FILES, _SECRETS, CONTENT, "image")} - {"environment"}
    if settings:
        yield f"settings: {_listed(sorted(settings))}"
    others = [one for one in dict.fromkeys(c.follows.get(name, ())) if one in replaced]
    if others:
        yield f"with {', '.join(others)}, which it shares something with or depends on"
    if not changed and old == new and not others:
        yield "its container is not what the current release made, or Compose is another version"


def _changed_files(c: Comparison, service: str) -> Iterator[str]:
    if c.standing.tree is None:
        return
    for place in c.coming.mounts.get(service, ()):
        here, there = set(below(c.coming.tree, place)), set(below(c.standing.tree, place))
        for name in sorted(here | there):
            if _entry(c.coming.tree, name) != _entry(c.standing.tree, name):
                yield shown(name.partition("/")[2])


def _entry(tree: Tree, name: str) -> Any:
    entry = tree.get(name)
    return None if entry is None or entry.kind == "directory" else (entry.kind, entry.mode, entry.digest, entry.target)


def differs(old: Mapping[str, str], new: Mapping[str, str], name: str) -> bool:
    """Whether a name's hash is another one now."""
    return old.get(name) != new.get(name)


def _setting(field: str) -> str:
    return field.partition(".")[0].partition("[")[0]


def _listed(names: Iterable[str]) -> str:
    every = list(dict.fromkeys(names))
    return ", ".join(every[:_SHOWN]) + (f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else "")


def _short(reference: str) -> str:
    digest = split_reference(reference)[1]
    return digest.removeprefix("sha256:")[:12] if digest.startswith("sha256:") else reference
