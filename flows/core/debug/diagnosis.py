"""The diagnosis: what is wrong with a service or its host, in sentences, the nearest cause first."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flows.core.debug.evidence import ContainerUsage, EngineEvent, Evidence
from flows.core.debug.overview import StackOverview
from flows.core.droplet.containers import Container
from flows.core.quotation import quoted_end, quoted_line

HOST = "host"
FINE = "nothing wrong was found"
_FULL, _MEMORY_OF_LIMIT, _MEMORY_OF_HOST = 90, 0.9, 0.95
# Lines at a log's end in which an exception counts as its end; characters of a sentence's quotation.
_END, _WIDTH = 25, 200
# Characters of a log's line that are looked at and shown; its end is in the bundle's own file.
_LINE = 500
# An `oom` or a `kill` belongs to a container's end when it comes at most so many seconds before it.
_TOGETHER = 15.0
_MEANINGS = {
    126: "command not executable",
    127: "command not found",
    134: "aborted",
    139: "segmentation fault",
    143: "terminated",
}
_STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\S+Z(?: |$)")
_EXCEPTION = re.compile(
    r"""
      (?:\w+\.)*\w*(?:Error|Exception|Exit|KeyboardInterrupt)(?:\s\[\w+\])?:\s.+   # Python, JavaScript, Java
    | (?:\w+\.)+\w*(?:Error|Exception)$ | ^\w+(?:Error|Exception)$                 # the same, without words
    | (?:panic|fatal\ error):\s.+ | thread\s'.*'\spanicked\sat.*                    # Go, Rust
    | \S.*\sat\s\S+\sline\s\d+(?:,\s<.*)?\.                                         # Perl
    | .*No\ space\ left\ on\ device.* | .*:\s(?:command\ )?not\ found$              # a shell
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class HealthResponse:
    """The response of a service to a GET of its health path. `status` is None when none came."""

    path: str
    status: int | None
    words: str
    seconds: float

    @property
    def good(self) -> bool:
        """Whether the status is 2xx."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with one service, or with the host, and notes beside it."""

    service: str
    troubles: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """The causes, or that none was found; then the notes."""
        return (*(self.troubles or (FINE,)), *self.notes)


def diagnose_service(
    overview: StackOverview, evidence: Evidence, service: str, answer: HealthResponse | None = None
) -> Diagnosis:
    """The diagnosis of one service."""
    if overview.is_missed(service) or not overview.of(service):
        return Diagnosis(service, ("is not running; no container",))
    troubles, notes = [], []
    mine = overview.of(service)
    for container in mine:
        case = _Case(overview, evidence, container)
        name = f"{container.name}: " if len(mine) > 1 else ""
        troubles += [f"{name}{sentence}" for sentence in case.troubles(answer)]
        notes += [f"{name}{sentence}" for sentence in case.notes(bool(troubles))]
    if answer and answer.good:
        notes.append(f"answered {answer.path} {answer.words} in {answer.seconds:.2f} s")
    return Diagnosis(service, tuple(dict.fromkeys(troubles)), tuple(dict.fromkeys(notes)))


def diagnose_host(overview: StackOverview, evidence: Evidence) -> Diagnosis:
    """The diagnosis of the host: engine, disk, memory."""
    troubles = [f"Docker does not answer: {_quoted(overview.trouble)}"] if overview.trouble else []
    full = [(mount, used) for mount, used in evidence.host.full("space") if used >= _FULL]
    troubles += [f"disk {used} % full ({mount})" for mount, used in full]
    full = [(mount, used) for mount, used in evidence.host.full("inodes") if used >= _FULL]
    troubles += [f"{used} % of the disk's inodes are used ({mount})" for mount, used in full]
    if evidence.host.memory >= _MEMORY_OF_HOST:
        troubles.append(f"memory {100 * evidence.host.memory:.0f} % used")
    return Diagnosis(HOST, tuple(troubles))


def last_lines(log: str, lines: int) -> list[str]:
    """The last lines of a log that are not empty, without the engine's time stamps."""
    said = [_STAMP.sub("", line).rstrip() for line in log.splitlines()]
    return quoted_end("\n".join(line for line in said if line.strip()), lines, _LINE).splitlines()


@dataclass(frozen=True)
class _Case:
    """The diagnosis of one container."""

    overview: StackOverview
    evidence: Evidence
    container: Container

    def troubles(self, answer: HealthResponse | None) -> Iterator[str]:
        yield from self._state_causes()
        yield from self._health()
        if answer and not answer.good and self.container.state == "running":
            if answer.status is None:
                yield f"did not answer {answer.path}: {_quoted(answer.words)}"
            else:
                yield f"answered {answer.path} {_quoted(answer.words)} in {answer.seconds:.2f} s"
        if words := self._exception():
            yield f"the log ends with an exception: {words}"
        if self._usage.of_limit >= _MEMORY_OF_LIMIT:
            limit = (self._usage.limit or 0) / 2**20
            yield f"memory at {100 * self._usage.of_limit:.0f} % of its limit of {limit:.0f} MiB"
        if differ := self.overview.other_digest(self.container):
            yield f"runs {_digest(differ[0])}, the record says {_digest(differ[1])}"

    def notes(self, unhealthy: bool) -> Iterator[str]:
        if self.container.health == "starting" and self.overview.may_start(self.container):
            yield "starting: still within its start period"
        log = last_lines(self.evidence.logs.get(self.container.id, ""), 1)
        if unhealthy and not self._exception():
            yield f"last words: {_quoted(log[-1])}" if log else "its log is empty"

    def _state_causes(self) -> Iterator[str]:
        container = self.container
        if container.restarts:
            times = "once" if container.restarts == 1 else f"{container.restarts} times"
            ended = ["not running now"] if container.state in ("exited", "dead") else []
            yield "; ".join([f"restarted {times}", *self._last_end(), *ended])
        elif container.state in ("exited", "dead", "restarting"):
            if container.exit_code or not self.overview.may_end(container.service):
                yield f"is not running: {self._end_words(container.exit_code, container.oom_killed)}"
        elif container.state == "created":
            yield f"was created and never started: {_quoted(self._error) or 'nobody started it'}"
        elif container.state != "running":
            yield f"is {container.state}"

    def _last_end(self) -> list[str]:
        """How it ended last: from its state while it is ended, from the engine's events once it runs again."""
        if self.container.state != "running":
            return [f"last {self._end_words(self.container.exit_code, self.container.oom_killed)}"]
        ends = [event for event in self._events if event.action == "die" and re.fullmatch(r"\d{1,9}", event.exit_code)]
        return [f"last {self._end_words(int(ends[-1].exit_code), False)}"] if ends else []

    def _end_words(self, code: int, oom_killed: bool) -> str:
        meaning = _MEANINGS.get(code, "")
        if oom_killed or self._before_end("oom"):
            meaning = "out of memory"
        elif code == 137:
            by_hand = any(event.signal in ("9", "15") for event in self._before_end("kill"))
            meaning = "killed, by hand or because it did not stop in time" if by_hand else "killed, not by Docker"
        elif code == 0:
            meaning = "it ended by itself, and well"
        elif code in (126, 127, 128) and self._error:
            meaning = _quoted(self._error)
        return f"exit {code}: {meaning}" if meaning else f"exit {code}"

    def _before_end(self, action: str) -> list[EngineEvent]:
        ends = [event.at for event in self._events if event.action == "die"]
        return [e for e in self._events if ends and e.action == action and 0 <= ends[-1] - e.at <= _TOGETHER]

    def _health(self) -> Iterator[str]:
        words = _quoted(self.container.last_words.strip().splitlines()[-1] if self.container.last_words.strip() else "")
        if self.container.health == "unhealthy":
            yield f"unhealthy: {words or 'its healthcheck says nothing'}"
        elif self.container.health == "starting" and not self.overview.may_start(self.container):
            yield f"starting, and its healthcheck has not passed yet{': ' if words else ''}{words}"

    def _exception(self) -> str:
        lines = last_lines(self.evidence.logs.get(self.container.id, ""), _END)
        found = next((line for line in reversed(lines) if _EXCEPTION.match(line.strip())), "")
        return _quoted(found.strip())

    @property
    def _error(self) -> str:
        """The engine's message about a start that failed, without its beginning, which is always the same."""
        state = self.overview.inspected.get(self.container.id, {}).get("State") or {}
        said = str(state.get("Error") or "").removesuffix(": unknown")
        said = said.rsplit("unable to start container process: ", 1)[-1]
        return said if len(said) <= _WIDTH else f"…{said[1 - _WIDTH :]}"

    @property
    def _usage(self) -> ContainerUsage:
        return self.evidence.usage.get(self.container.id, ContainerUsage())

    @property
    def _events(self) -> Sequence[EngineEvent]:
        return [event for event in self.evidence.events if event.service == self.container.service]


def _digest(reference: str) -> str:
    return reference.rsplit("@", 1)[-1][:19] + "…"


def _quoted(text: str) -> str:
    return quoted_line(text, _WIDTH)
