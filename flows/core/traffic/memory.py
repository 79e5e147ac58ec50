"""Whether a droplet has the memory that both of its colours need while a promotion lasts.

What runs already is in what the kernel calls available, so only what is to be started has to fit into that. For each
container of it, what the same service of the active colour uses now is what it will need, and no more than its limit. A
service that the active colour does not run needs its limit; one without a limit is named, and counts nothing. Swap is
not counted: two colours that swap are slow, and one of them serves.
"""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from flows.core.answers import reads
from flows.core.debug.evidence import read_usage
from flows.core.droplet.containers import SERVICE_LABEL
from flows.core.droplet.docker_commands import PROJECT_LABEL
from flows.core.droplet.sections import section_script, sections
from flows.core.errors import NotEnoughMemory, UnreadableAnswer
from flows.core.stack.stack import Stack

# What stays free for the engine, SSH and the kernel, beside both colours.
RESERVE = 128 * 1024 * 1024
_LONGEST = 1_000_000
_SECONDS = 20
_AMOUNT = re.compile(r"^(MemTotal|MemAvailable):[ \t]+([0-9]{1,15}) kB$", re.MULTILINE)


@dataclass(frozen=True)
class MemoryUse:
    """What containers of a project use.

    Args:
        services: service → bytes of each of its running containers.
        unknown: services that run and whose use was not told.
    """

    services: Mapping[str, tuple[int, ...]]
    unknown: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        return sum(map(sum, self.services.values()))


@dataclass(frozen=True)
class DropletMemory:
    """The memory of a droplet in bytes, and what the active and the idle colour use of it now."""

    total: int
    available: int
    active: MemoryUse
    idle: MemoryUse


@dataclass(frozen=True)
class MemoryNeed:
    """What a new colour needs beside the active one.

    Args:
        needed: bytes of the new colour.
        unknown: its services of which nobody knows.
    """

    memory: DropletMemory
    needed: int
    unknown: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """What the idle colour still runs is replaced, so it is free for the new one."""
        return self.needed + RESERVE <= self.memory.available + self.memory.idle.total

    @property
    def sentence(self) -> str:
        """How much both need and what the droplet has."""
        both = self.memory.active.total + self.needed
        unknown = f", without {', '.join(self.unknown)}, of which nobody knows" if self.unknown else ""
        free = self.memory.available + self.memory.idle.total
        return (
            f"both colours need about {_mb(both)} while the promotion lasts ({_mb(self.memory.active.total)} run now, "
            f"{_mb(self.needed)} are to come{unknown}); of its {_mb(self.memory.total)} {_mb(free)} are free, and "
            f"{_mb(RESERVE)} of these are kept for the droplet itself"
        )


def memory_script(active: str, idle: str) -> str:
    """The script that prints the droplet's memory, and what the containers of two Compose projects use of it.

    Args:
        active, idle: the projects of both colours.
    """
    parts = {"memory": "head -c 16384 /proc/meminfo"}
    for name, project in (("active", active), ("idle", idle)):
        label = shlex.quote(f"label={PROJECT_LABEL}={project}")
        row = shlex.quote(f'{{"id":{{{{json .ID}}}},"service":{{{{json (.Label "{SERVICE_LABEL}")}}}}}}')
        parts[f"{name} containers"] = f"docker ps --no-trunc --filter {label} --format {row} | head -c {_LONGEST}"
        parts[f"{name} usage"] = (
            f'ids=$(docker ps --quiet --no-trunc --filter {label}); [ -z "$ids" ] || timeout -k 5 {_SECONDS} '
            f"docker stats --no-stream --no-trunc --format '{{{{json .}}}}' $ids 2>/dev/null | head -c {_LONGEST}"
        )
    return section_script(parts)


@reads("what the droplet says of its memory")
def read_memory(output: str) -> DropletMemory:
    """Parse the output of `memory_script`."""
    parts = sections(output)
    amounts = {name: int(kilobytes) * 1024 for name, kilobytes in _AMOUNT.findall(parts.get("memory", ""))}
    if len(amounts) < 2:
        raise UnreadableAnswer(
            "/proc/meminfo of the droplet does not tell MemTotal and MemAvailable. Look at it yourself: free -m"
        )
    active, idle = (_use(parts.get(f"{n} containers", ""), parts.get(f"{n} usage", "")) for n in ("active", "idle"))
    return DropletMemory(amounts["MemTotal"], amounts["MemAvailable"], active, idle)


def _use(containers: str, usage: str) -> MemoryUse:
    used, services, unknown = read_usage(usage), dict[str, tuple[int, ...]](), set[str]()
    for line in containers.splitlines():
        row = json.loads(line)
        service, one = str(row["service"]), used.get(str(row["id"]))
        if one is None or one.memory is None:
            unknown.add(service)
        else:
            services[service] = (*services.get(service, ()), one.memory)
    return MemoryUse(services, tuple(sorted(unknown)))


def memory_need(stack: Stack, memory: DropletMemory) -> MemoryNeed:
    """What the new colour of a stack needs beside what runs.

    Args:
        stack: the new colour's part of it, as the droplet's own Compose resolved it.
    """
    needed, unknown = 0, []
    for name, service in sorted(stack.services.items()):
        if not service.replicas or name in stack.awaited_to_complete:
            continue  # it has ended by the time that all others run
        used = max(memory.active.services.get(name, (0,)))
        each = min(used, service.memory) if used and service.memory else used or service.memory
        if not each:
            unknown.append(name)
        needed += each * service.replicas
    return MemoryNeed(memory, needed, tuple(unknown))


def refuse_what_does_not_fit(need: MemoryNeed, droplet: str) -> None:
    """Refuse a promotion that the droplet has not the memory for.

    Args:
        droplet: in words.

    Raises:
        NotEnoughMemory
    """
    if not need.fits:
        raise NotEnoughMemory(
            f"{droplet} has not the memory for two colours: {need.sentence}. Nothing was started. Give the droplet "
            "more memory, or services of the stack less (deploy.resources.limits.memory); what uses it: docker stats"
        )


def _mb(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
