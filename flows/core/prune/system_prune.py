"""What `docker system prune --volumes` would remove from an engine, and what it must spare."""

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from flows.core.answers import reads
from flows.core.deploy.pull import keep_tag
from flows.core.droplet.directories import ADOPTED
from flows.core.droplet.docker_commands import PROJECT_LABEL
from flows.core.droplet.sections import Row, read_rows, section_script, sections
from flows.core.droplet.versions import version
from flows.core.errors import BadRelease
from flows.core.registry.references import engine_name
from flows.core.release.bundle import DOCUMENT
from flows.core.release.release import read_release

# From here on `--volumes` means anonymous volumes only. The engine goes by the API version its client speaks, so an old
# client makes a new engine take named ones (docs.docker.com, Engine 23.0 release notes; API history, 1.42).
SPARING_ENGINE = (23, 0)
SPARING_API = (1, 42)
ANONYMOUS_LABEL = "com.docker.volume.anonymous"
_VOLUMES = "'{{range .Mounts}}{{println .Name}}{{end}}'"
_PROJECT = f'{{{{.Label "{PROJECT_LABEL}"}}}}'
_CONTAINER = f"{{{{.Names}}}}\t{{{{.Image}}}}\t{{{{.Status}}}}\t{_PROJECT}"
# Compose's own rule for a project's name; the marker of an adoption names the one that is the way back.
_ADOPTED = re.compile(r'"project": ?"([a-z0-9][a-z0-9_-]{0,254})"')
_LONGEST = 1_000_000
_FREED = '{ printf "Total reclaimed space: %.1fMB\\n", ($1 > $2 ? $1 - $2 : 0) / 1000 }'
_DOCUMENT = re.compile(r"^@@document\n", re.MULTILINE)


@dataclass(frozen=True)
class PrunableObjects:
    """The objects that a system prune would remove from an engine, and those it must spare.

    Args:
        containers: name, image, status of those that are stopped.
        images: id, `repository@digest`, size of those that no tag names.
        networks: names of those that no container is on.
        volumes: names of the anonymous ones that no running container uses.
        named: names of all others.
        cache: size of the builder cache.
        to_keep: untagged images that a release on the droplet names, by digest.
        spared: Compose projects of ours: their containers may be stopped on purpose (a colour that sleeps, a one-shot
            that is done, what was adopted), and their networks are needed when these start again.
    """

    engine: str = ""
    api: str = ""
    containers: tuple[Row, ...] = ()
    images: tuple[Row, ...] = ()
    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    named: frozenset[str] = frozenset()
    cache: str = ""
    to_keep: tuple[str, ...] = ()
    spared: tuple[str, ...] = ()

    def rows(self) -> list[dict[str, object]]:
        """The objects as rows of a table."""
        spared = {engine_name(reference) for reference in self.to_keep}
        found = [("container", name, f"{status}; of {image}", "") for name, image, status in self.containers]
        found += [("image", i, f"{name}: no tag", size) for i, name, size in self.images if name not in spared]
        found += [("network", name, "no container is on it", "") for name in self.networks]
        found += [("anonymous volume", name, "no running container uses it", "") for name in self.volumes]
        found += [("builder cache", "what is unused", "", self.cache)]
        return [{"kind": kind, "name": name, "what": what, "size": size} for kind, name, what, size in found]


@dataclass(frozen=True)
class SystemPruned:
    """Result of system-prune: the objects that were listed, and the size that the engine freed."""

    droplet: str
    prunable: PrunableObjects
    freed: str
    seconds: float


def refuse_reason(prunable: PrunableObjects) -> str:
    """Why a system prune is refused: it would remove named volumes too; '' when it would not."""
    if version(prunable.engine) < SPARING_ENGINE:
        return f"its Docker Engine is {prunable.engine or 'silent'}, and before 23 `--volumes` means named volumes too"
    if version(prunable.api) < SPARING_API:
        return (
            f"its docker client speaks API {prunable.api or 'unknown'}: before 1.42 the engine takes named volumes too"
        )
    return ""


def prunable_script(directory: str) -> str:
    """The script that prints what a system prune would remove and must spare, and changes nothing.

    Args:
        directory: Slipway's directory on the droplet.
    """
    stopped = [word for state in ("created", "exited", "dead") for word in ("--filter", f"status={state}")]
    anonymous = ["--filter", f"label={ANONYMOUS_LABEL}"]
    documents = f"{shlex.quote(directory)}/*/releases/*/{DOCUMENT}"
    return section_script({
        "version": _shell("version", "--format", "{{.Server.Version}}\t{{.Client.APIVersion}}"),
        "containers": _shell("ps", "--all", *stopped, "--format", _CONTAINER),
        "images": shlex.join(dangling_images()),
        "networks": _shell("network", "ls", "--filter", "dangling=true", "--format", f"{{{{.Name}}}}\t{_PROJECT}"),
        "busy": f'ids=$({_shell("ps", "--quiet")}) && [ -n "$ids" ] && docker inspect --format {_VOLUMES} $ids',
        "anonymous": _shell("volume", "ls", "--quiet", *anonymous),
        "volumes": _shell("volume", "ls", "--quiet"),
        "disk": shlex.join(disk_use()),
        "stacks": f'for at in {shlex.quote(directory)}/*/current; do [ -L "$at" ] && echo "$at"; done',
        "adopted": f"cat {shlex.quote(directory)}/{ADOPTED}/*.json 2>/dev/null | head -c {_LONGEST}",
        "documents": f'for file in {documents}; do [ -f "$file" ] && echo @@document && cat "$file" && echo; done',
    })  # fmt: skip


@reads("what a system prune would remove")
def read_prunable(output: str) -> PrunableObjects:
    """Parse the output of `prunable_script`."""
    parts = sections(output)
    engine, api = (*parts.get("version", "").split(), "", "")[:2]  # this one command makes columns of tabs
    images = read_rows(parts.get("images", ""))
    anonymous = frozenset(parts.get("anonymous", "").split())
    untagged = {row[1] for row in images}
    spared = {line.split("/")[-2] for line in parts.get("stacks", "").splitlines() if line.count("/") > 1}
    spared |= set(_ADOPTED.findall(parts.get("adopted", "")))
    needed = (reference for text in _DOCUMENT.split(parts.get("documents", "")) for reference in _references(text))
    return PrunableObjects(
        engine,
        api,
        tuple(row[:3] for row in read_rows(parts.get("containers", "")) if row[3:] == () or row[3] not in spared),
        images,
        tuple(row[0] for row in read_rows(parts.get("networks", "")) if row[1:] == () or row[1] not in spared),
        tuple(sorted(anonymous - set(parts.get("busy", "").split()))),
        frozenset(parts.get("volumes", "").split()) - anonymous,
        next((row[1] for row in read_rows(parts.get("disk", "")) if row[0] == "Build Cache"), ""),
        tuple(sorted({reference for reference in needed if engine_name(reference) in untagged})),
        tuple(sorted(spared)),
    )


def keep_script(references: Iterable[str]) -> str:
    """The script that tags images which a release needs, so that no prune removes them."""
    tags = [shlex.join(["docker", "tag", reference, keep_tag(reference)]) for reference in references]
    return "\n".join(["set -e", *tags, ""])


def system_prune_script(prunable: PrunableObjects) -> str:
    """The script that removes what was listed: stopped containers, dangling images, unused networks, anonymous volumes,
    and builder cache. What is in use by now is left by the engine itself.

    `docker system prune` cannot do it: of several filters `label!=` it spares only what has all of these labels.
    """
    removed = {
        "rm": [name for name, _, _ in prunable.containers],
        "network rm": prunable.networks,
        "volume rm": prunable.volumes,
    }
    lines = [f"docker {verb} -- {shlex.join(names)} || :" for verb, names in removed.items() if names]
    return "\n".join([
        "free() { df -Pk \"$(docker info --format '{{.DockerRootDir}}')\" | awk 'NR == 2 { print $4 }'; }",
        "before=$(free)",
        *lines,
        "docker image prune --force || exit",
        "docker builder prune --force || exit",
        f'echo "$(free) $before" | awk {shlex.quote(_FREED)}',
        "",
    ])  # fmt: skip


def dangling_images(project: str = "", docker: str = "docker") -> list[str]:
    """List images without a tag: of a project, or all."""
    only = ["--filter", f"label={PROJECT_LABEL}={project}"] if project else []
    shown = "{{.ID}}\t{{.Repository}}@{{.Digest}}\t{{.Size}}"
    return [docker, "image", "ls", "--no-trunc", "--digests", "--filter", "dangling=true", *only, "--format", shown]


def disk_use(docker: str = "docker") -> list[str]:
    """Print the disk usage of the engine: type and size."""
    return [docker, "system", "df", "--format", "{{.Type}}\t{{.Size}}"]


def _shell(*words: str) -> str:
    return shlex.join(["docker", *words])


def _references(document: str) -> tuple[str, ...]:
    try:
        return tuple(read_release(document.encode()).services.values())
    except BadRelease:
        return ()
