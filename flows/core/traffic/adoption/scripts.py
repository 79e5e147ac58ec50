"""The scripts of an adoption on the droplet: old containers are stopped and started again, new ones stopped.

Whatever the engine lists by a label is asked for that label again before it is touched.
"""

import shlex
from collections.abc import Iterable, Sequence

from flows.core.answers import reads
from flows.core.droplet.docker_commands import PROJECT_LABEL, project_containers
from flows.core.traffic.adoption.marker import AdoptionMarker, LeftContainer
from flows.core.traffic.edge.places import PROJECT

_LABEL = f'{{{{index .Config.Labels "{PROJECT_LABEL}"}}}}'
_NETWORK_LABEL = f'{{{{index .Labels "{PROJECT_LABEL}"}}}}'
_STATE = "{{.Id}} {{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}"
_OURS = f"""\
ours() {{
    [ "$(docker container inspect --format {shlex.quote(_LABEL)} "$2" 2>/dev/null)" = "$1" ]
}}
named() {{
    [ "$(docker container inspect --format '{{{{.Name}}}}' "$1")" = "/$2" ] || docker rename "$1" "$2"
}}
"""
# A container of the new projects may have a name that was fixed by hand, and keeps it when it is stopped.
_BACK = """\
alive=
free() {
    holder=$(docker container inspect --format '{{.Id}}' "$2" 2>/dev/null) || return 0
    [ "$holder" != "$1" ] || return 0
    for project in $projects; do
        if ours "$project" "$holder"; then
            docker rename "$holder" "$2.adopted-$(printf %.12s "$holder")"
        fi
    done
}
back() {
    if ! docker container inspect "$1" >/dev/null 2>&1; then echo "gone $2"; return 0; fi
    free "$1" "$2"
    named "$1" "$2"
    docker update "--restart=$3" "$1" >/dev/null
    if [ "$4" = yes ]; then alive="$alive $1"; fi
}
"""
_DROP = """\
drop() {
    if ours "$1" "$2"; then docker rm "$2" >/dev/null || echo "left $3"; fi
}
"""


def stop_old_script(marker: AdoptionMarker) -> str:
    """The script that stops the old containers, the colours' first; they stay, and do not come back by themselves.

    Those whose names were fixed by hand give these free. It may run twice.
    """
    every = [one.id for one in marker.containers]
    colours, home = ([one.id for one in marker.containers if one.home == home] for home in (False, True))
    lines = [f"{shlex.join(['docker', 'update', '--restart=no', *every])} >/dev/null"]
    lines += [f"{shlex.join(['docker', 'stop', *ids])} >/dev/null" for ids in (colours, home) if ids]
    lines += [f"named {shlex.quote(one.id)} {shlex.quote(one.aside)}" for one in marker.containers if one.aside]
    return "\n".join(["set -eu", _OURS, *lines])


def stop_projects_script(projects: Sequence[str]) -> str:
    """The script that stops all containers of these projects, for as long as nobody starts them: no reboot does."""
    return "\n".join(["set -eu", _OURS, *(_stop_project(project) for project in projects), "true"])


def remove_stopped_script(projects: Sequence[str]) -> str:
    """The script that removes containers of these projects that an adoption left stopped. Volumes stay."""
    return "\n".join([
        "set -eu", _OURS,
        *(
            f"for id in $({shlex.join([*project_containers(project), '--filter', 'status=exited'])}); do "
            f'if ours {shlex.quote(project)} "$id"; then docker rm "$id" >/dev/null; fi; done'
            for project in projects
        ),
        "true",
    ])  # fmt: skip


def restore_script(marker: AdoptionMarker, projects: Sequence[str]) -> str:
    """The script that gives the old containers their names and restart policies, and starts those that ran.

    One that waits for another may not start at once: all are started twice. Prints those that are gone.

    Args:
        projects: the new ones, whose containers give the names free.
    """
    order = [*marker.ran, *(one for one in marker.containers if not one.ran)]
    lines = [shlex.join(["back", one.id, one.name, one.restart, "yes" if one.ran else "no"]) for one in order]
    start = '[ -z "$alive" ] || docker start $alive >/dev/null 2>&1 || docker start $alive >/dev/null || true'
    known = f"projects={shlex.quote(' '.join(projects))}"
    return "\n".join(["set -eu", known, _OURS, _BACK, *lines, start])


def states_script(containers: Iterable[LeftContainer]) -> str:
    """The script that prints the state and health of each container; nothing of one that is gone."""
    listed = shlex.join(["docker", "container", "inspect", "--format", _STATE, *(one.id for one in containers)])
    return f"{listed} 2>/dev/null || true"


def edge_script(word: str) -> str:
    """The script that does this to the containers of the edge: `restart` or `stop`."""
    listed = shlex.join(project_containers(PROJECT))
    return f'set -eu; ids=$({listed}); [ -z "$ids" ] || docker {shlex.quote(word)} $ids >/dev/null'


def finish_script(marker: AdoptionMarker) -> str:
    """The script that removes the old containers and the networks that only these used. Volumes and images stay.

    A container that runs is not removed; a network that something is on stays. Prints both.
    """
    project = shlex.quote(marker.project)
    lines = [shlex.join(["drop", marker.project, one.id, one.name]) for one in marker.containers]
    for network, name in sorted(marker.networks.items()):
        label = f"docker network inspect --format {shlex.quote(_NETWORK_LABEL)} {shlex.quote(network)} 2>/dev/null"
        removed = f"docker network rm {shlex.quote(network)} >/dev/null 2>&1"
        lines.append(f'if [ "$({label})" = {project} ]; then {removed} || echo {shlex.quote(f"network {name}")}; fi')
    return "\n".join([_OURS, _DROP, *lines, "true"])


@reads("what the droplet says of the old containers")
def read_old_states(text: str) -> dict[str, tuple[str, str]]:
    """Container → its state and health, from what `states_script` printed."""
    found = {}
    for line in text.splitlines():
        container, state, health = line.split()
        found[container] = (state, health)
    return found


def lines_of(text: str, word: str) -> tuple[str, ...]:
    """What a script of these says behind a word: `gone NAME`, `left NAME`, `network NAME`."""
    return tuple(line.removeprefix(f"{word} ") for line in text.splitlines() if line.startswith(f"{word} "))


def _stop_project(project: str) -> str:
    return (
        f"ids=; for id in $({shlex.join(project_containers(project))}); do "
        f'if ours {shlex.quote(project)} "$id"; then ids="$ids $id"; fi; done\n'
        '[ -z "$ids" ] || { docker update --restart=no $ids >/dev/null; docker stop $ids >/dev/null; }'
    )
