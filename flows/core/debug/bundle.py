"""A debug bundle: the evidence on unhealthy services and their diagnosis, as an archive and as Markdown."""

import gzip
import io
import json
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.core.debug.diagnosis import Diagnosis, HealthResponse, last_lines
from flows.core.debug.evidence import ContainerUsage, Evidence, PythonPackages
from flows.core.debug.overview import StackOverview
from flows.core.droplet.containers import Container, container_environment
from flows.core.quotation import literal, without_controls

# Bytes of a bundle before compression, and of its Markdown; lines of a log in that.
LARGEST, LARGEST_TEXT, SHOWN = 4_900_000, 190_000, 20
_LONGEST = 100


@dataclass(frozen=True)
class DebugResult:
    """Result of debug-agent.

    Args:
        readings: the diagnosis of each service, then of the host.
        path: the archive; None when every service is healthy.
    """

    stack: str
    place: str
    readings: tuple[Diagnosis, ...] = ()
    path: Path | None = None
    size: int = 0
    seconds: float = 0.0

    @property
    def services(self) -> tuple[str, ...]:
        """The services that were examined."""
        return tuple(reading.service for reading in self.readings[:-1])


@dataclass(frozen=True)
class DebugBundle:
    """The evidence on services and their diagnosis, with secrets masked: a shortened text cannot be masked later."""

    overview: StackOverview
    evidence: Evidence
    services: tuple[str, ...]
    answers: Mapping[str, HealthResponse]
    readings: tuple[Diagnosis, ...]
    taken: str

    def files(self) -> dict[str, bytes]:
        """The archive's files: path → content, within the size limit of a bundle, the longest shortened first."""
        files = {"README.md": self.markdown(), "host.txt": self._host(), "records.txt": self.overview.records}
        for name in self.services:
            service, mine = _part(name), self.overview.of(name)
            for container in mine:
                suffix = f"-{_part(container.name)}" if len(mine) > 1 else ""
                for file, text in self._container(container).items():
                    stem, _, end = file.rpartition(".")
                    files[f"{service}/{stem}{suffix}.{end}"] = text
            files[f"{service}/health.json"] = _json(self._health(name))
            files[f"{service}/events.txt"] = self._events(name)
        shown = {path: without_controls(text) for path, text in files.items() if text.strip()}
        return shorten_to_fit({path: text.encode(errors="replace") for path, text in shown.items()}, LARGEST)

    def markdown(self) -> str:
        """The bundle as a Markdown page: the diagnosis, a table of the services, and the end of their logs."""
        release = f" · release {self.overview.release.tag}" if self.overview.release else ""
        parts = [f"# {self.overview.name} on {self.overview.place}\n\n{self.taken}{release}\n"]
        for reading in self.readings:
            sentences = (f"- {literal(text, cell=False)}" for text in reading.sentences)
            parts.append("\n".join([f"\n**{literal(reading.service, cell=False)}**", *sentences]) + "\n")
        parts.append("\n| service | state | health | restarts | /health | memory | image |\n|" + " --- |" * 7 + "\n")
        parts += [self._row(container) for service in self.services for container in self.overview.of(service)]
        size = sum(map(len, parts))
        for service in self.services:
            for container in self.overview.of(service):
                text = _last_words(service, self.evidence.logs.get(container.id, ""))
                size += len(text.encode())
                if size < LARGEST_TEXT:
                    parts.append(text)
        if size >= LARGEST_TEXT:
            parts.append("\nThere is more in the archive.\n")
        return without_controls("".join(parts))

    def _row(self, container: Container) -> str:
        answer, usage = self.answers.get(container.service), self.evidence.usage.get(container.id, ContainerUsage())
        said = f"{answer.words} ({answer.seconds:.2f} s)" if answer else ""
        cells = (container.service, container.state, container.health, str(container.restarts), said,
                 _memory(usage), container.image)  # fmt: skip
        return "| " + " | ".join(map(literal, cells)) + " |\n"

    def _container(self, container: Container) -> dict[str, str]:
        inspected = self.overview.inspected.get(container.id, {})
        variables = sorted(container_environment(inspected).items())
        usage = self.evidence.usage.get(container.id, ContainerUsage())
        return {
            "inspect.json": _json(inspected),
            "environment.txt": "".join(f"{name}={value}\n" for name, value in variables),
            "logs.txt": f"{self.evidence.logs.get(container.id) or '(nothing)'}\n",
            "packages.txt": self._packages(container.id),
            "usage.json": _json({**vars(usage), "of_limit": round(usage.of_limit, 3)}),
        }

    def _packages(self, container: str) -> str:
        python = self.evidence.pythons.get(container, PythonPackages(words="nobody looked"))
        lines = [python.words] if python.words else [f"# Python {python.version}".rstrip(), *python.packages]
        if system := self.evidence.system.get(container):
            lines += [f"# {system[0].kind}", *(f"{package.name} {package.version}" for package in system)]
        return "\n".join(lines) + "\n"

    def _health(self, service: str) -> dict[str, Any]:
        answer = self.answers.get(service)
        states = [self.overview.inspected.get(c.id, {}).get("State") or {} for c in self.overview.of(service)]
        return {"get": vars(answer) if answer else None, "checks": [state.get("Health") for state in states]}

    def _events(self, service: str) -> str:
        mine = [event for event in self.evidence.events if event.service == service]
        return "".join(f"{_time(e.at)} {e.action} {e.exit_code} {e.signal}".rstrip() + "\n" for e in mine)

    def _host(self) -> str:
        said = {**self.evidence.host.said, **({"trouble": self.overview.trouble} if self.overview.trouble else {})}
        return "".join(f"{name}\n{text}\n\n" for name, text in said.items())


def shorten_to_fit(files: Mapping[str, bytes], largest: int) -> dict[str, bytes]:
    """The files, together no larger than `largest` bytes.

    The longest are shortened first, all to one length, and keep their ends.
    """
    files = dict(files)
    over = sum(map(len, files.values())) - largest
    if over <= 0:
        return files
    length, rest = 0, largest
    for left, size in zip(range(len(files), 0, -1), sorted(map(len, files.values())), strict=True):
        length = rest // left
        if size > length:
            break
        rest -= size
    return {name: data if len(data) <= length else data[len(data) - length :] for name, data in files.items()}


def bundle_archive(files: Mapping[str, bytes], directory: str, now: float) -> bytes:
    """The files as a gzipped tar below one directory, readable by their owner only.

    Args:
        now: their date, in seconds since the epoch.
    """
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(f"{directory}/{name}")
            entry.size, entry.mode, entry.mtime = len(data), 0o600, int(now)
            tar.addfile(entry, io.BytesIO(data))
    return gzip.compress(raw.getvalue(), 6)


def _part(name: str) -> str:
    """A name as one part of a path: whoever unpacks the archive, nothing of it leads anywhere else."""
    return re.sub(r"[^\w.-]", "_", name).lstrip(".")[:_LONGEST] or "_"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def _memory(usage: ContainerUsage) -> str:
    if usage.memory is None:
        return ""
    limit = f" of {usage.limit / 2**20:.0f}" if usage.limit else ""
    return f"{usage.memory / 2**20:.0f}{limit} MiB"


def _last_words(service: str, log: str) -> str:
    text = "\n".join(last_lines(log, SHOWN)) or "(nothing)"
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return f"\n**{literal(service, cell=False)}**, last lines\n\n{fence}\n{text}\n{fence}\n"


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n"
