"""The plan of an adoption: what becomes of each service of a plain project, and how it is undone."""

import hashlib
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, replace

from flows.core.quotation import literal
from flows.core.release.release import Release
from flows.core.release.tree import is_inside
from flows.core.stack.files.mounts import outermost
from flows.core.stack.side_by_side.facts import Exposed
from flows.core.traffic.adoption.marker import AdoptionMarker, CopiedPath, LeftContainer
from flows.core.traffic.adoption.project import OldContainer, OldMount, OldProject
from flows.core.traffic.edge.view import PORTS


@dataclass(frozen=True)
class AdoptedService:
    """What becomes of one service: it moves home, or becomes a colour.

    Args:
        now: names of its containers.
        keeps: volumes and paths it goes on with, in words.
        ports: what becomes of the ports it publishes, in words.
    """

    service: str
    home: bool
    now: tuple[str, ...]
    keeps: tuple[str, ...]
    ports: tuple[str, ...]


@dataclass(frozen=True)
class AdoptionPlan:
    """The plan of an adoption, as a person approves it.

    Args:
        droplet: name of the Droplet block.
        sizes: bytes of what is copied, as far as they are known.
    """

    droplet: str
    stack: str
    tag: str
    project: OldProject
    services: tuple[AdoptedService, ...]
    copied: tuple[CopiedPath, ...]
    notes: tuple[str, ...]
    edge: bool
    sizes: tuple[int | None, ...] = ()

    @property
    def sentence(self) -> str:
        """The plan in one sentence."""
        return (
            f"What runs as project {self.project.name} on {self.droplet} goes over to {self.stack}-home and "
            f"{self.stack}-green behind the edge, as release {self.tag}."
        )

    @property
    def mark(self) -> str:
        """A text that changes whenever the project does."""
        known = repr((self.project.containers, sorted(self.project.volumes.items()), self.copied, self.tag))
        return hashlib.sha256(known.encode()).hexdigest()

    def rows(self) -> list[dict[str, object]]:
        """One row a service, for the artifact and the terminal."""
        return [
            {
                "service": one.service,
                "now": ", ".join(one.now) or "none",
                "becomes": f"{self.droplet}/home" if one.home else f"{self.droplet}/green",
                "keeps": "; ".join(one.keeps) or "nothing",
                "ports": "; ".join(one.ports) or "none",
            }
            for one in self.services
        ]

    def said(self) -> list[str]:
        """What else is worth knowing before saying yes."""
        copies = [
            f"copied, while nothing runs: {path.source}{f' ({_bytes(size)})' if size is not None else ''}. "
            "The one that is there stays as it is"
            for path, size in zip(self.copied, self.sizes or (None,) * len(self.copied), strict=True)
        ]
        away = "from the stop of the old containers until green answers through the edge"
        return [
            *copies,
            *self.notes,
            f"away: {away}; its images are pulled before",
            "back: the old containers stay, stopped. They are started again if a step fails, and later by: slipway "
            "adopt --undo. They go with: slipway adopt --finish. Volumes are the same ones for old and new: what "
            f"release {self.tag} changes in them stays changed",
        ]

    def marker(self, digest: str, home: Iterable[str]) -> AdoptionMarker:
        """The marker to begin with.

        Args:
            home: the release's services of the data home.
        """
        at_home = set(home)
        return AdoptionMarker(
            stack=self.stack, project=self.project.name, tag=self.tag, digest=digest, edge=self.edge,
            containers=tuple(_left(one, self.project.name, one.service in at_home) for one in self.project.containers),
            copied=self.copied, networks=dict(self.project.networks),
        )  # fmt: skip


def plan_adoption(droplet: str, project: OldProject, release: Release) -> AdoptionPlan:
    """Plan the adoption of a project by a release; whether it may be is asked in refuse_adoption."""
    exposed = release.side_by_side.exposed if release.side_by_side else {}
    names = sorted({*release.services, *(one.service for one in project.running)})
    services = tuple(_service(name, project, release, exposed.get(name)) for name in names)
    published = {port.rpartition(":")[0].rpartition(":")[2] for one in project.running for port in one.ports}
    notes = [f"{name} is new: it does not run in {project.name}" for name in names if not _of(project, name)]
    for one in services:
        if not one.home and one.keeps:
            notes.append(f"{one.service} begins anew: each colour has its own of what it keeps, and the old one stays")
    notes += [
        f"{one.service} keeps something at {mount.target} in a volume without a name. If it may be lost, say so: "
        "x-slipway: {data: disposable}; else promotions are refused"
        for one in project.running
        if one.service not in release.home
        for mount in one.mounts
        if mount.nameless and not (mount.name in project.volumes and project.volumes[mount.name].empty)
    ]
    return AdoptionPlan(
        droplet, release.stack, release.tag, project, services, copied_paths(project, release), tuple(notes),
        project.edge and bool(published & {str(port) for port in PORTS}),
    )  # fmt: skip


def with_sizes(plan: AdoptionPlan, sizes: Iterable[int | None]) -> AdoptionPlan:
    """The plan, with the sizes of what is copied."""
    return replace(plan, sizes=tuple(sizes))


def copied_paths(project: OldProject, release: Release) -> tuple[CopiedPath, ...]:
    """What services of the data home write to by paths relative to the stack: they go on with a copy."""
    found = {
        place: mount.source
        for one in project.containers
        if one.service in release.home
        for mount in one.mounts
        if mount.writable and (place := state_place(one, mount, release))
    }
    return tuple(CopiedPath(source=found[place], place=place) for place in outermost(found))


def state_place(container: OldContainer, mount: OldMount, release: Release) -> str:
    """The place below `shared` of a path that the release knows services to write to; '' for all others."""
    if mount.kind != "bind" or not container.directory.startswith("/") or not mount.source.startswith("/"):
        return ""
    inside = posixpath.relpath(mount.source, container.directory)
    place = posixpath.normpath(posixpath.join(posixpath.dirname(release.compose_files[0]), inside))
    known = any(place == path or place.startswith(f"{path}/") for path in release.state)
    return place if known and is_inside(place) else ""


def adoption_question(plan: AdoptionPlan, minutes: float) -> str:
    """The question before an adoption, as Markdown."""
    rows = plan.rows()
    lines = [
        f"### {literal(plan.sentence, cell=False)}",
        "",
        "| service | now | becomes | keeps | ports |",
        "| --- | --- | --- | --- | --- |",
        *(f"| {' | '.join(literal(str(cell)) for cell in row.values())} |" for row in rows),
        "",
        *(f"- {literal(note, cell=False)}" for note in plan.said()),
        "",
        f"No answer within {minutes:g} minutes means no.",
    ]
    return "\n".join(lines)


def removal_question(marker: AdoptionMarker, minutes: float) -> str:
    """The question before an old project's containers are removed, as Markdown."""
    return "\n\n".join([
        f"### The {len(marker.containers)} stopped containers of project {marker.project} go, and networks of its own",
        ", ".join(one.name for one in marker.containers),
        "Volumes and images stay. Afterwards there is no `slipway adopt --undo`.",
        f"No answer within {minutes:g} minutes means no.",
    ])  # fmt: skip


def _service(name: str, project: OldProject, release: Release, exposed: Exposed | None) -> AdoptedService:
    mine, home = _of(project, name), name in release.home
    mounts = [mount for one in mine for mount in one.mounts if mount.writable]
    volumes = [f"volume {m.name}" for m in mounts if m.kind == "volume" and not m.nameless]
    paths = [m.source for m in mounts if m.kind == "bind"]
    ports = dict.fromkeys(port for one in mine for port in one.ports)
    hosts = ", ".join(exposed.hosts) if exposed else ""
    if home:
        becomes = [f"{port} stays" for port in ports]
    elif hosts:
        becomes = [f"the edge serves {hosts}", *(f"{port} ends" for port in ports)]
    else:
        becomes = [f"{port} ends" for port in ports]
    return AdoptedService(
        name, home, tuple(one.name for one in mine), tuple(dict.fromkeys((*volumes, *paths))), tuple(becomes)
    )


def _of(project: OldProject, service: str) -> list[OldContainer]:
    return [one for one in project.containers if one.service == service and not one.one_off]


def _left(one: OldContainer, project: str, home: bool) -> LeftContainer:
    """A name that Compose did not make of the project's own is fixed, and the new container will want it."""
    made = one.name.startswith((f"{project}-{one.service}-", f"{project}_{one.service}_"))
    aside = "" if made else f"{one.name}.before-adoption"
    return LeftContainer(id=one.id, name=one.name, aside=aside, home=home, restart=one.restart, ran=one.runs)


def _bytes(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB"
