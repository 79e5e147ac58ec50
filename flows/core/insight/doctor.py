"""What `slipway doctor` looks at, each a check with its verdict, and the command that mends what failed."""

import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from flows.core.answers import MALFORMED, reads
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.lock import holder_script, read_holder
from flows.core.droplet.running import release_sections
from flows.core.droplet.sections import section_script, sections
from flows.core.droplet.versions import MINIMUM_COMPOSE, MINIMUM_ENGINE, version
from flows.core.errors import BadRelease
from flows.core.release.release import read_release
from flows.core.traffic.edge.site import exposures

CheckVerdict = Literal["ok", "warn", "fail", "unknown"]
# Seconds by which a droplet's clock may differ: certificates, signatures and records go by it.
_CLOCK_WARN_S, _CLOCK_FAIL_S = 5.0, 60.0
_DISK_WARN, _DISK_FAIL = 2_000_000_000, 500_000_000
_CERTIFICATE_WARN_S = 14 * 86400
# A worker says every 30 s that it is there.
_HEARTBEAT_S = 90.0
_NO_ENGINE = "install it, or: systemctl start docker"
# What is there of a path already: the rest would be made inside of it.
_NEAREST = 'while [ ! -e "${at:-/}" ]; do case $at in */*) at=${at%/*} ;; *) at=. ;; esac; done'


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Args:
        name: what, such as `droplet green: clock`.
        words: what was found.
        remedy: what to type, where it is not well.
    """

    name: str
    verdict: CheckVerdict
    words: str
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        said = {"check": self.name, "verdict": self.verdict, "found": self.words}
        return {**said, **({"remedy": self.remedy} if self.remedy else {})}


def droplet_check_script(directory: StackDirectory) -> str:
    """The script that prints what a droplet is judged by, and changes nothing."""
    root = "$(docker info --format '{{.DockerRootDir}}' 2>/dev/null || echo /)"
    return section_script({
        "now": "date +%s.%N",
        "engine": "docker version --format '{{.Server.Version}}' 2>/dev/null",
        "compose": "docker compose version --short 2>/dev/null",
        "disk": f'df -Pk "{root}" | tail -n 1',
        "holder": holder_script(directory.directory),
        "writable": f"at={shlex.quote(directory.directory)}; {_NEAREST}; [ -w \"${{at:-/}}\" ] && echo yes",
        "release": release_sections(directory.current)["release"],
    })  # fmt: skip


@reads("what the droplet says of itself")
def read_droplet_checks(output: str, name: str, here: float) -> tuple[list[Check], tuple[str, ...]]:
    """Parse the output of `droplet_check_script`: the checks, and the hosts that the release there exposes.

    Args:
        here: this machine's time in the middle of the question, in seconds since the epoch.
    """
    parts = sections(output)
    disk = parts.get("disk", "").split()
    free = int(disk[3]) * 1024 if len(disk) > 3 and disk[3].isdecimal() else None
    found = [
        _version(f"{name}: Docker Engine", parts.get("engine", ""), MINIMUM_ENGINE, _NO_ENGINE),
        _version(f"{name}: Compose", parts.get("compose", ""), MINIMUM_COMPOSE, "apt install docker-compose-plugin"),
        judge_disk(f"{name}: disk", free, name),
        judge_clock(f"{name}: clock", float(parts["now"]) - here if parts.get("now") else None),
        _writable(name, parts.get("writable", "") == "yes"),
    ]  # fmt: skip
    if holder := parts.get("holder", "").strip():
        found.append(Check(f"{name}: lock", "warn", f"held by {read_holder(holder)}", "wait for it: slipway status"))
    return found, _hosts(parts.get("release", ""))


def judge_disk(name: str, free: int | None, droplet: str) -> Check:
    """Whether there is room for images.

    Args:
        free: bytes; None: nobody knows.
    """
    if free is None:
        return Check(name, "unknown", "how much is free is not known")
    verdict: CheckVerdict = "fail" if free < _DISK_FAIL else "warn" if free < _DISK_WARN else "ok"
    return Check(
        name, verdict, f"{free / 1e9:.1f} GB free", f"slipway prune --droplet {droplet}" if verdict != "ok" else ""
    )


def judge_clock(name: str, ahead: float | None) -> Check:
    """Whether a droplet's clock is this machine's.

    Args:
        ahead: seconds; None: it did not say.
    """
    if ahead is None:
        return Check(name, "unknown", "it did not say what time it is")
    verdict: CheckVerdict = "fail" if abs(ahead) > _CLOCK_FAIL_S else "warn" if abs(ahead) > _CLOCK_WARN_S else "ok"
    words = "as here" if verdict == "ok" else f"{abs(ahead):.0f} s {'ahead' if ahead > 0 else 'behind'}"
    return Check(name, verdict, words, "set it there: timedatectl set-ntp true" if verdict != "ok" else "")


def judge_certificate(host: str, left: float) -> Check:
    """Whether a host's certificate lasts.

    Args:
        left: seconds until it ends.
    """
    days, look = left / 86400, "look at the edge: slipway edge show"
    verdict: CheckVerdict = "fail" if left < 0 else "warn" if left < _CERTIFICATE_WARN_S else "ok"
    words = f"ended {-days:.0f} days ago" if left < 0 else f"{days:.0f} days left"
    return Check(f"certificate of {host}", verdict, words, look if verdict != "ok" else "")


def judge_versions(server: str, ours: str) -> Check:
    """Whether the Prefect server is of a version that goes with ours: the same major one, and not older by a minor."""
    theirs, mine = version(server), version(ours)
    verdict: CheckVerdict = "ok" if theirs[:2] >= mine[:2] and theirs[0] == mine[0] else "warn"
    remedy = "upgrade the older one: docs/INSTALL.md" if verdict != "ok" else ""
    return Check("Prefect server", verdict, f"{server}; here {ours}", remedy)


def judge_workers(pool: str, workers: Any, now: datetime) -> Check:
    """Whether a worker of the pool is alive.

    Args:
        workers: as Prefect lists them.
    """
    name, remedy = f"worker of pool {pool}", f"slipway worker --pool {pool}, or: slipway server up"
    try:
        alive = [one["name"] for one in workers if _age(one["last_heartbeat_time"], now) < _HEARTBEAT_S]
        if alive:
            return Check(name, "ok", ", ".join(sorted(alive)))
        return Check(name, "fail", f"none is alive of {len(workers)} that were" if workers else "there is none", remedy)
    except MALFORMED:
        return Check(name, "unknown", "what Prefect says of its workers cannot be read")


def judge_deployments(wanted: Collection[str], found: Collection[str]) -> Check:
    """Whether every deployment of this version is registered."""
    missing = sorted(set(wanted) - set(found))
    if not missing:
        return Check("deployments", "ok", f"all {len(wanted)}")
    shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
    return Check("deployments", "fail", f"missing: {shown}", "slipway server up, or: prefect deploy --all")


def judge_automations(found: Iterable[Mapping[str, Any]], wanted: Collection[str]) -> Check:
    """Whether the automations are there and on; they are wanted, and nothing stops without them."""
    on = {str(one.get("name")) for one in found if one.get("enabled")}
    missing = sorted(set(wanted) - on)
    if not missing:
        return Check("automations", "ok", f"all {len(wanted)}")
    return Check("automations", "warn", f"missing or off: {', '.join(missing)}", "slipway automations set")


def _version(name: str, found: str, least: tuple[int, int], remedy: str) -> Check:
    if not found.strip():
        return Check(name, "fail", "none answers", remedy)
    if version(found.strip()) < least:
        return Check(name, "fail", f"{found.strip()}; needed is {least[0]}.{least[1]}", remedy)
    return Check(name, "ok", found.strip())


def _writable(name: str, can: bool) -> Check:
    if can:
        return Check(f"{name}: directory", "ok", "can be written")
    return Check(f"{name}: directory", "fail", "cannot be written", "docs/LEAST_PRIVILEGE.md, or another --directory")


def _age(text: str, now: datetime) -> float:
    return (now - datetime.fromisoformat(text.replace("Z", "+00:00"))).total_seconds()


def _hosts(document: str) -> tuple[str, ...]:
    try:
        release = read_release(document.encode()) if document else None
    except (BadRelease, *MALFORMED):
        return ()
    found: Iterator[str] = (host for one in exposures(release).values() for host in one.hosts) if release else iter(())
    return tuple(sorted({host for host in found if not host.startswith("*.")}))
