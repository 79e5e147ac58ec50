"""What must hold of a stack after every fault, whatever happened."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.stacks.three_services import ThreeServiceStack
from tests.support import wait_until
from tests.support.lab.droplet_view import DropletView

SERVICES = {"store", "web", "worker"}


@dataclass(frozen=True)
class BeforeFault:
    """What was there before the fault: a row in the store's volume, and the volumes themselves."""

    row: str
    volumes: str


def before_fault(stack: ThreeServiceStack) -> BeforeFault:
    """Write a row that nobody may lose, and remember the volumes."""
    row = f"row-{uuid4().hex[:8]}"
    stack.write_row(row)
    return BeforeFault(row, volumes(stack.droplet))


def assert_nothing_lost(stack: ThreeServiceStack, before: BeforeFault, runs: str, settling: float = 5.0) -> None:
    """The row is read, the volumes are the same, the lock is free, what runs is exactly one recorded release, and
    nothing lies about.

    Args:
        runs: tag of the release that must run and whose web must answer.
        settling: seconds in which what still goes on may end.
    """
    assert_tidy(stack, settling)
    assert volumes(stack.droplet) == before.volumes
    assert before.row in stack.rows()
    assert (running_release(stack)["tag"], stack.version()) == (runs, runs)


def assert_tidy(stack: ThreeServiceStack, settling: float) -> None:
    """Nothing is left of a run that ended, or soon is."""
    eventually(lambda: stack.droplet.sh(_leftovers(stack)).strip(), "", settling)


def _leftovers(stack: ThreeServiceStack) -> str:
    """Prints what is left behind, commands that still run, and logins that lie about."""
    return f"""{left_behind(stack.droplet)}
        ps -eo args | grep -wF -e {stack.name} -e {stack.registry.host} |
            grep -E '^([^ ]*/)?docker (compose|pull|login)'
        grep -rlsF {stack.registry.host} /root/.docker /tmp
        true"""


def left_behind(droplet: DropletView) -> str:
    """The script that prints the lock when it is held or names a holder, releases on their way, and half-written
    records and links."""
    directory, home = droplet.directory, droplet.home
    return f"""set +e
        [ ! -e {directory}/lock ] || flock -n {directory}/lock true || echo "the lock is held"
        cat {directory}/lock.holder {directory}/lock.busy 2>/dev/null
        ls -A {home}/incoming 2>/dev/null
        find {home} {directory}/lock* -path '*/releases/*' -prune -o -name '*.new' -print 2>/dev/null
        true"""


def running_release(stack: ThreeServiceStack) -> dict[str, Any]:
    """The document of the one release whose digests run: every service once, and no container besides."""
    found = look(stack)
    assert found.names == sorted(f"/{stack.name}-{service}-1" for service in SERVICES)
    matching = [name for name, document in found.releases.items() if document["services"] == found.running]
    assert len(matching) == 1, f"{found.running} is not what exactly one release of {list(found.releases)} says"
    assert found.current == f"releases/{matching[0]}"
    assert {name for name, ref in found.running.items() if ref not in found.digests[name]} == set()
    return found.releases[matching[0]]


@dataclass(frozen=True)
class Found:
    """What the droplet holds of a stack: containers, the image each service runs and the digests that the engine knows
    it by, and the documents of the releases that stand there."""

    names: list[str]
    running: dict[str, str]
    digests: dict[str, list[str]]
    releases: dict[str, dict[str, Any]]
    current: str


def look(stack: ThreeServiceStack) -> Found:
    """Look at the droplet once."""
    parts = stack.droplet.sh(f"""
        ids=$(docker ps -aq --filter label=com.docker.compose.project={stack.name})
        [ -z "$ids" ] && echo '[]' || docker inspect $ids
        echo @@@; [ -z "$ids" ] || for id in $ids; do
            docker image inspect --format '{{{{json .RepoDigests}}}}' $(docker inspect --format '{{{{.Image}}}}' $id)
        done
        echo @@@; if cd {stack.droplet.home}/releases 2>/dev/null; then
            for name in *; do echo $name; tr -d '\n' <$name/release.json; echo; done
        fi
        echo @@@; readlink {stack.droplet.home}/current || true""").split("@@@\n")
    containers = json.loads(parts[0])
    services = [entry["Config"]["Labels"]["com.docker.compose.service"] for entry in containers]
    lines = parts[2].splitlines()
    return Found(
        names=sorted(entry["Name"] for entry in containers),
        running={name: entry["Config"]["Image"] for name, entry in zip(services, containers, strict=True)},
        digests=dict(zip(services, map(json.loads, parts[1].splitlines()), strict=True)),
        releases=dict(zip(lines[::2], map(json.loads, lines[1::2]), strict=True)),
        current=parts[3].strip(),
    )


def records(stack: ThreeServiceStack) -> list[dict[str, Any]]:
    """The release records that stand on the droplet, oldest first."""
    text = stack.droplet.sh(f"cd {stack.droplet.home}/history 2>/dev/null && cat *.json || true")
    decoder, found = json.JSONDecoder(), []
    while text := text.lstrip():
        record, end = decoder.raw_decode(text)
        found.append(record)
        text = text[end:]
    return found


def newest(stack: ThreeServiceStack) -> dict[str, Any]:
    """The record that was written last."""
    found = records(stack)
    assert found, "nothing is on record"
    return found[-1]


def volumes(droplet: DropletView) -> str:
    """The stack's volumes, each with the time it was made, and the inode of its directory."""
    only = f"--filter label=com.docker.compose.project={droplet.stack}"
    shown = "{{.Name}} {{.CreatedAt}} {{.Mountpoint}}"
    return droplet.sh(
        f"for name in $(docker volume ls -q {only}); do docker volume inspect --format '{shown}' $name; "
        "stat -c %i $(docker volume inspect --format '{{.Mountpoint}}' $name); done"
    )


def when(glance: Callable[[], object], within: float) -> None:
    """Wait until it is so."""
    eventually(lambda: bool(glance()), True, within)


def eventually(glance: Callable[[], object], wanted: object, within: float) -> None:
    """Look again and again until what is wanted is seen; fails after `within` seconds."""
    wait_until(lambda: glance() == wanted, within, why=lambda: f"that it is {wanted!r}: {glance()!r}", pause=0.05)
