"""Containers that an interrupted `docker compose up` left half made, and the script that puts them right."""

import shlex

from flows.core.droplet.docker_commands import PROJECT_LABEL, project_containers

_REPLACES = '{{index .Config.Labels "com.docker.compose.replace"}}'


def mend_half_made(project: str) -> str:
    """A script after which `docker compose up` can go on where another was cut.

    Compose makes a container that is to take another's place under the other's id and its name, gives it the other's
    volumes without a name, removes the other, then takes the id away. Cut between the last two, the new one is all
    that leads to those volumes: it gets its name. Cut before, it goes, and the next `up` makes it again.

    One that was made for nobody's place and never started may lack its configs and secrets, which Compose copies into
    it afterwards: it goes too. Volumes stay. What the engine lists is asked for its label again.
    """
    listed = project_containers(project)
    half, unstarted = ([*listed, "--filter", found] for found in ("name=^/[0-9a-f]{12}_", "status=created"))
    label = f'{{{{index .Config.Labels "{PROJECT_LABEL}"}}}}'
    return f"""\
ours() {{
    [ "$(docker container inspect --format {shlex.quote(label)} "$1")" = {shlex.quote(project)} ]
}}
ids=$({shlex.join(half)}) || exit
for id in $ids; do
    ours "$id" || continue
    name=$(docker container inspect --format '{{{{.Name}}}}' "$id" | cut -c 15-)
    if docker container inspect "$name" >/dev/null 2>&1
    then docker rm --force "$id"; else docker rename "$id" "$name"; fi >/dev/null
done
for id in $({shlex.join(unstarted)}); do
    ours "$id" || continue
    [ -n "$(docker container inspect --format {shlex.quote(_REPLACES)} "$id")" ] || docker rm --force "$id" >/dev/null
done"""
