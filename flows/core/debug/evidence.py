"""The evidence on containers and their host: the output of `collector_script` as values."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flows.core.answers import reads
from flows.core.debug.collectors import CAP
from flows.core.droplet.sections import sections
from flows.core.errors import UnreadableAnswer
from flows.core.quotation import without_controls
from flows.core.trust.packages.databases import read_apk, read_dpkg
from flows.core.trust.packages.package import Package

_ACCOUNT = re.compile(r"^/sys/fs/cgroup\S*docker[-/]([0-9a-f]{64})(?:\.scope)?/([\w.]+):(.*)$", re.MULTILINE)
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,15})?)([kKMGT]?)(i?)B")
_METADATA = (".dist-info", ".egg-info")
_VERSION = re.compile(r"/python(\d\.\d+)(?:$|/)")
_UNLIMITED = 1 << 60
_DIGITS = 20


@dataclass(frozen=True)
class EngineEvent:
    """One event of the engine: when (seconds since the epoch), what, of which service, with which exit code."""

    at: float
    action: str
    service: str
    exit_code: str = ""
    signal: str = ""


@dataclass(frozen=True)
class ContainerUsage:
    """The resources that a container uses. Memory is in bytes, without caches; None: unknown, or no limit."""

    memory: int | None = None
    limit: int | None = None
    processes: int | None = None
    cpu_seconds: float | None = None

    @property
    def of_limit(self) -> float:
        """Share of the memory limit, 0 to 1."""
        return self.memory / self.limit if self.memory and self.limit else 0.0


@dataclass(frozen=True)
class PythonPackages:
    """The Python of a container: its version, and its packages as `name==version`; `words` says why there is none."""

    version: str = ""
    packages: tuple[str, ...] = ()
    words: str = ""


@dataclass(frozen=True)
class HostEvidence:
    """The evidence on the host: section → what its commands printed."""

    said: Mapping[str, str] = field(default_factory=dict)

    def full(self, what: Literal["space", "inodes"]) -> list[tuple[str, int]]:
        """The file systems as (mount point, per cent used), the fullest first."""
        used: dict[str, tuple[str, int]] = {}
        table = ""
        for row in (line.split() for line in self.said.get("disk", "").splitlines()):
            if len(row) > 1 and row[0] == "Filesystem":
                table = "inodes" if row[1] == "Inodes" else "space"
            elif table == what and len(row) > 5 and re.fullmatch(r"\d{1,3}%", row[4]):
                used.setdefault(row[0], (row[5], int(row[4][:-1])))
        return sorted(used.values(), key=lambda one: -one[1])

    @property
    def memory(self) -> float:
        """Share of the memory in use, 0 to 1; 0 when unknown."""
        found = dict(re.findall(r"^(\w+):\s+(\d{1,18})", self.said.get("memory", ""), re.MULTILINE))
        total = int(found.get("MemTotal", 0))
        return 1 - int(found.get("MemAvailable", total)) / total if total else 0.0


@dataclass(frozen=True)
class Evidence:
    """The evidence: logs, packages and usage by container id; secrets in the order of their files.

    Args:
        system: the packages of the distribution that a container's image is of.
    """

    logs: Mapping[str, str] = field(default_factory=dict)
    pythons: Mapping[str, PythonPackages] = field(default_factory=dict)
    system: Mapping[str, tuple[Package, ...]] = field(default_factory=dict)
    usage: Mapping[str, ContainerUsage] = field(default_factory=dict)
    events: tuple[EngineEvent, ...] = ()
    host: HostEvidence = HostEvidence()
    secrets: tuple[str, ...] = field(default=(), repr=False)


def read_evidence(output: str) -> Evidence:
    """Parse the output of `collector_script`. What cannot be read is left out."""
    by_kind: dict[str, dict[str, str]] = {}
    for name, text in sections(output).items():
        kind, _, what = name.partition(" ")
        by_kind.setdefault(kind, {})[what] = text
    return Evidence(
        logs={key: without_controls(_whole_lines(text)) for key, text in by_kind.get("log", {}).items()},
        pythons={key: read_python(text) for key, text in by_kind.get("packages", {}).items()},
        system={key: read_system(text) for key, text in by_kind.get("system", {}).items()},
        usage=read_usage(by_kind.get("usage", {}).get("", "")),
        events=tuple(_events(by_kind.get("events", {}).get("", ""))),
        host=HostEvidence(by_kind.get("host", {})),
        secrets=tuple(by_kind.get("secret", {}).values()),
    )


def read_python(listed: str) -> PythonPackages:
    """Parse a list of Python's package metadata directories (PEP 376: `NAME-VERSION.dist-info`)."""
    if listed == "unreadable":
        return PythonPackages(words="it does not run, and its files cannot be read")
    if not listed:
        return PythonPackages(words="not a Python container")
    versions = {found[1] for path in listed.splitlines() if (found := _VERSION.search(path))}
    files = {path.rpartition("/")[2] for path in listed.splitlines()}
    packages = {_package(file.removesuffix(end)) for file in files for end in _METADATA if file.endswith(end)} - {""}
    return PythonPackages(", ".join(sorted(versions)), tuple(sorted(packages, key=str.lower)))


def read_system(lines: str) -> tuple[Package, ...]:
    """Parse lines of dpkg's and apk's databases; the fields of the one are none of the other."""
    content = lines.encode()
    return tuple(package for package in (*read_dpkg(content), *read_apk(content)) if package.is_well_named)


def _package(stem: str) -> str:
    """`NAME==VERSION` of `NAME-VERSION`, or of `NAME-VERSION-pyVERSION` as eggs are called."""
    name, _, last = stem.rpartition("-")
    if name and re.fullmatch(r"py[\d.]+", last):
        stem = name
        name, _, last = stem.rpartition("-")
    return f"{name}=={last}" if name and last[:1].isdigit() else stem


def read_usage(text: str) -> dict[str, ContainerUsage]:
    """Parse cgroup files, or the lines of `docker stats --format '{{json .}}'`: container id → usage.

    Source: https://docs.kernel.org/admin-guide/cgroup-v2.html and …/cgroup-v1/.
    """
    accounts: dict[str, dict[str, str]] = {}
    for container, file, value in _ACCOUNT.findall(text):
        words = value.split()
        name = f"{file} {words[0]}" if len(words) > 1 else file
        accounts.setdefault(container, {})[name] = words[-1] if words else ""
    if accounts:
        return {container: _account(found) for container, found in accounts.items()}
    rows = filter(None, (_row(line) for line in text.splitlines() if line.startswith("{")))
    return {str(row["ID"]): _stats(row) for row in rows if "ID" in row}


def _whole_lines(log: str) -> str:
    """A log without the half line that its size limit left at its beginning: half a secret cannot be masked."""
    return log if len(log.encode()) < CAP - 1 else log.partition("\n")[2]


def _account(found: Mapping[str, str]) -> ContainerUsage:
    number = {name: int(value) for name, value in found.items() if _is_number(value)}
    used = number.get("memory.current", number.get("memory.usage_in_bytes"))
    idle = number.get("memory.stat total_inactive_file", number.get("memory.stat inactive_file", 0))
    limit = number.get("memory.max", number.get("memory.limit_in_bytes"))
    micro, nano = number.get("cpu.stat usage_usec"), number.get("cpuacct.usage")
    return ContainerUsage(
        memory=None if used is None else max(0, used - idle),
        limit=limit if limit and limit < _UNLIMITED else None,
        processes=number.get("pids.current"),
        cpu_seconds=micro / 1e6 if micro is not None else nano / 1e9 if nano is not None else None,
    )


@reads("a line of `docker stats`")
def _parsed(line: str) -> dict[str, Any]:
    return dict(json.loads(line))


def _row(line: str) -> dict[str, Any] | None:
    try:
        return _parsed(line)
    except UnreadableAnswer:
        return None


def _stats(row: Mapping[str, Any]) -> ContainerUsage:
    used, _, limit = str(row.get("MemUsage", "")).partition("/")
    processes = str(row.get("PIDs", ""))
    return ContainerUsage(_bytes(used), _bytes(limit), int(processes) if _is_number(processes) else None)


def _is_number(text: str) -> bool:
    """Python refuses to read a number of thousands of digits."""
    return text.isdecimal() and len(text) <= _DIGITS


def _bytes(text: str) -> int | None:
    found = _SIZE.search(text)
    if not found:
        return None
    number, unit, binary = found.groups()
    return int(float(number) * (1024 if binary else 1000) ** " KMGT".index(unit.upper() or " "))


def _events(text: str) -> list[EngineEvent]:
    found = []
    for line in text.splitlines():
        words = line.split("|")
        if len(words) == 5 and _is_number(words[0]):
            found.append(EngineEvent(int(words[0]) / 1e9, *words[1:]))
    return found
