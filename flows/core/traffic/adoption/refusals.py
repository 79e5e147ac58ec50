"""What stands against the adoption of a project, each with what to do about it."""

import posixpath
from collections.abc import Iterator, Sequence

from flows.core.errors import CannotAdopt
from flows.core.release.release import Release
from flows.core.traffic.adoption.copying import FoundPath
from flows.core.traffic.adoption.plan import state_place
from flows.core.traffic.adoption.project import OldContainer, OldMount, OldProject

# Where the engine and the droplet's own things are mounted from: these are nobody's data.
_OF_THE_DROPLET = ("/etc", "/proc", "/sys", "/dev", "/run", "/var/run")


def refuse_adoption(
    droplet: str, project: OldProject, release: Release, parts: Sequence[str], copies: Sequence[FoundPath] = ()
) -> None:
    """Refuse a project that cannot go over without losing something, before anything is changed.

    Args:
        parts: names of the projects that it is to become.
        copies: what was found where something is to be copied.

    Raises:
        CannotAdopt: with every reason.
    """
    if against := [*_project(droplet, project, release, parts), *_services(project, release), *_copies(copies)]:
        raise CannotAdopt(
            f"project {project.name} on {droplet} cannot be adopted as release {release.tag} of {release.stack}: "
            f"{'; '.join(dict.fromkeys(against))}. Nothing was changed"
        )


def _project(droplet: str, project: OldProject, release: Release, parts: Sequence[str]) -> Iterator[str]:
    if project.name in parts:
        yield f"{project.name} is a part of the stack itself. Name the project that it runs as now: --project NAME"
    elif not project.running:
        yield (
            f"no container of a project {project.name} runs there. Which do, says `docker compose ls` on the droplet; "
            "name it: --project NAME"
        )
    if project.neighbours and project.name not in parts:
        yield (
            f"{', '.join(project.neighbours)} runs there already, beside it. Look at both (slipway status --droplet "
            f"{droplet}/green), and stop what is not meant to serve"
        )
    if release.side_by_side is None:
        yield (
            "the release does not say what two colours on one droplet need to know of it: it was built by an earlier "
            "version. Build it again: slipway build-push"
        )
    elif release.side_by_side.exposed and not project.edge:
        hosts = [host for exposed in release.side_by_side.exposed.values() for host in exposed.hosts]
        yield (
            f"there is no edge that could serve {', '.join(hosts)}. Put it there first: slipway edge setup {droplet} "
            f"--stack {release.stack} --url https://{hosts[0]}"
        )


def _services(project: OldProject, release: Release) -> Iterator[str]:
    for one in project.containers:
        if one.one_off or one.removes_itself:
            if one.runs:
                yield f"{one.name} is no service (docker compose run), and runs. Wait for its end, or stop it"
            continue
        if one.service not in release.services:
            if one.runs:
                yield (
                    f"{one.service} runs, and the release has no such service. Stop it (docker compose stop "
                    f"{one.service}), or give the stack that service and build it again"
                )
            continue
        for mount in one.mounts:
            yield from _mount(one, mount, project, release)


def _mount(one: OldContainer, mount: OldMount, project: OldProject, release: Release) -> Iterator[str]:
    home = one.service in release.home
    if mount.kind == "volume" and mount.nameless:
        volume = project.volumes.get(mount.name)
        if (home or one.service in _silent(release)) and not (volume and volume.empty):
            yield (
                f"{one.service} keeps something at {mount.target} in a volume without a name ({mount.name[:12]}…), "
                "which no other container is given. Give it a name in the compose file (volumes: "
                f"[NAME:{mount.target}]), copy what is in it, start it with that, and build the release again"
            )
    elif mount.kind == "volume":
        yield from _volume(one, mount, project, release)
    elif mount.kind == "bind" and mount.writable and not _known(one, mount, release):
        yield (
            f"{one.service} writes to {mount.source}, and the release knows of no such path. Mount it in the compose "
            "file as it is mounted there, and build it again"
        )


def _volume(one: OldContainer, mount: OldMount, project: OldProject, release: Release) -> Iterator[str]:
    volume = project.volumes.get(mount.name)
    key = (volume.key if volume else "") or "KEY"
    named = f"Name it in the compose file, volumes: {{{key}: {{name: {mount.name}}}}}, and build it again"
    home, colour = (
        set(release.volumes.values()),
        set(release.side_by_side.volumes.values() if release.side_by_side else ()),
    )
    if one.service in release.home:
        if mount.name not in home:
            there = ", ".join(sorted(home)) or "none"
            yield f"{one.service} keeps its data in volume {mount.name}, and the release's are {there}. {named}"
        elif volume and one.directory and volume.device.startswith(f"{one.directory.rstrip('/')}/"):
            yield (
                f"volume {mount.name} of {one.service} stands on {volume.device}, a directory of the project, which "
                "would have to stay for ever. Mount that directory itself in the compose file, and build it again"
            )
    elif mount.writable and (mount.name not in home | colour or one.service in _silent(release)):
        yield (
            f"{one.service} writes to volume {mount.name}, and the release does not say where that lives. Say so in "
            "the compose file: x-slipway: {data: home}, or {data: disposable} if it may be lost, and build it again"
        )


def _copies(copies: Sequence[FoundPath]) -> Iterator[str]:
    for one in copies:
        if one.others:
            yield (
                f"{one.source} holds what belongs to other users of the droplet, and its block's user may not copy "
                "that with its owners. Let the block log in as root (slipway droplet add), or mount a named volume"
            )
        elif one.size is not None and one.free is not None and one.size >= one.free:
            yield (
                f"{one.source} has {one.size / 1e6:,.1f} MB, and there is room for {one.free / 1e6:,.1f} MB where it "
                "is copied to. Make room: slipway prune"
            )


def _known(one: OldContainer, mount: OldMount, release: Release) -> bool:
    source = posixpath.normpath(mount.source)
    inside = [source == path or source.startswith(f"{path}/") for path in (*release.host_paths, *_OF_THE_DROPLET)]
    return any(inside) or bool(state_place(one, mount, release))


def _silent(release: Release) -> set[str]:
    """The services that keep state and do not say where it lives."""
    return {words.partition(" ")[0] for words in release.unsaid}
