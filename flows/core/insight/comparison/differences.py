"""How two releases differ: services, image sizes, packages, files, environment keys, and settings in effect."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flows.core.insight.comparison.contents import ReleaseContents, shown_value
from flows.core.registry.references import split_reference
from flows.core.release.tree import Entry, shown

How = Literal["added", "removed", "changed"]


@dataclass(frozen=True)
class ServiceDifference:
    """One service whose image differs, with the digests and sizes of both; None: not known."""

    service: str
    how: How
    old: str
    new: str
    old_size: int | None
    new_size: int | None

    @property
    def grows(self) -> int | None:
        """Bytes that it is larger by."""
        if self.old_size is None or self.new_size is None:
            return None
        return self.new_size - self.old_size


@dataclass(frozen=True)
class NamedDifference:
    """Something that differs by its name: of which service ('' for all), how, and what it was and is."""

    service: str
    name: str
    how: How
    old: str = ""
    new: str = ""


@dataclass(frozen=True)
class ReleaseDifferences:
    """How the release `new` differs from `old`.

    Args:
        old, new: how they were asked for.
        packages: of services whose image differs; `compared` are those of which both have an SBOM.
        keys, settings: None: not known.
        variables: of the environments of two droplets; None: not known.
        notes: what is not known, and why.
    """

    old: str
    new: str
    old_tag: str
    new_tag: str
    services: tuple[ServiceDifference, ...] = ()
    same: int = 0
    packages: tuple[NamedDifference, ...] = ()
    compared: tuple[str, ...] = ()
    files: tuple[NamedDifference, ...] = ()
    keys: tuple[NamedDifference, ...] | None = None
    settings: tuple[NamedDifference, ...] | None = None
    variables: tuple[NamedDifference, ...] | None = None
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The differences, counted."""
        counts = (
            (len(self.services), "service"), (len(self.packages), "package"), (len(self.files), "file"),
            (len(self.keys or ()) + len(self.variables or ()), "environment key"),
            (len(self.settings or ()), "setting"),
        )  # fmt: skip
        said = ", ".join(f"{count} {word}{'s' if count != 1 else ''}" for count, word in counts if count)
        return f"{self.old_tag} → {self.new_tag}: {f'they differ in {said}' if said else 'no difference was found'}."

    def as_json(self) -> dict[str, Any]:
        def plain(found: tuple[NamedDifference, ...] | None) -> list[dict[str, Any]] | None:
            return None if found is None else [vars(one) for one in found]

        return {
            "old": self.old_tag, "new": self.new_tag, "services": [vars(one) for one in self.services],
            "services_that_are_the_same": self.same, "packages": plain(self.packages),
            "packages_compared": list(self.compared), "files": plain(self.files), "environment_keys": plain(self.keys),
            "variables": plain(self.variables), "settings": plain(self.settings), "notes": list(self.notes),
        }  # fmt: skip


def compare_releases(old: ReleaseContents, new: ReleaseContents) -> ReleaseDifferences:
    """Compare two releases. What one of them does not say is unknown, never a difference."""
    names = sorted({*old.release.services, *new.release.services})
    services = [_service(name, old, new) for name in names]
    changed = tuple(one for one in services if one)
    both = [one for one in changed if one.old in old.packages and one.new in new.packages]
    packages = [
        NamedDifference(one.service, name, how, before, after)
        for one in both
        for name, how, before, after in _named(old.packages[one.old], new.packages[one.new])
    ]
    known = old.settings is not None and new.settings is not None
    notes = dict.fromkeys([*old.notes, *new.notes, *_notes(changed, both)])
    return ReleaseDifferences(
        old.called, new.called, old.release.tag, new.release.tag, changed, len(services) - len(changed),
        tuple(packages), tuple(one.service for one in both), tuple(_files(old.files, new.files)),
        tuple(_each(old.keys, new.keys, values=False)) if old.keys is not None and new.keys is not None else None,
        tuple(_settings(old, new)) if known else None, _variables(old.variables, new.variables), tuple(notes),
    )  # fmt: skip


def _notes(changed: tuple[ServiceDifference, ...], both: list[ServiceDifference]) -> Iterator[str]:
    left = [one.service for one in changed if one.how == "changed" and one not in both]
    if left:
        yield f"packages are not known of {', '.join(left)}: no SBOM by a key that is trusted"


def _service(name: str, old: ReleaseContents, new: ReleaseContents) -> ServiceDifference | None:
    before, after = old.release.services.get(name, ""), new.release.services.get(name, "")
    if split_reference(before)[1] == split_reference(after)[1]:
        return None
    return ServiceDifference(name, _how(before, after), before, after, old.size(name), new.size(name))


def _how(before: object, after: object) -> How:
    return "changed" if before and after else "added" if after else "removed"


def _named(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[tuple[str, How, str, str]]:
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if before != after:
            how: How = "added" if before is None else "removed" if after is None else "changed"
            yield name, how, before or "", after or ""


def _each(
    old: Mapping[str, Mapping[str, str]] | None, new: Mapping[str, Mapping[str, str]] | None, *, values: bool
) -> Iterator[NamedDifference]:
    """The differences of services that both have."""
    for service in sorted((old or {}).keys() & (new or {}).keys()):
        for name, how, before, after in _named((old or {})[service], (new or {})[service]):
            said = (shown_value(before), shown_value(after)) if values else ("", "")
            yield NamedDifference(service, name, how, *said)


def _settings(old: ReleaseContents, new: ReleaseContents) -> Iterator[NamedDifference]:
    yield from _each(old.settings, new.settings, values=True)
    for name, how, before, after in _named(old.networks, new.networks):
        yield NamedDifference("", name, how, shown_value(before), shown_value(after))


def _variables(old: Mapping[str, str] | None, new: Mapping[str, str] | None) -> tuple[NamedDifference, ...] | None:
    if old is None or new is None:
        return None
    return tuple(NamedDifference("", name, how) for name, how, _, _ in _named(old, new))


def _files(old: Mapping[str, Entry], new: Mapping[str, Entry]) -> Iterator[NamedDifference]:
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if before and after and before.content == after.content and before.mode == after.mode:
            continue
        said = tuple(_file(one) if one else "" for one in (before, after))
        yield NamedDifference("", shown(name), _how(before, after), *said)


def _file(entry: Entry) -> str:
    what = {"given": "from the environment block", "link": f"link to {shown(entry.target)}"}.get(entry.kind)
    return f"{entry.mode:o} {what or f'{entry.size:,} bytes'}"
