"""One request of a load: which client made it, when, and what became of it; one line of JSON in the journal's file."""

import json
from dataclasses import astuple, dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The clients that are at work at once."""

    KEPT = "short, kept connection"
    FRESH = "short, fresh connection"
    LONG = "long"
    WRITE = "write"
    STREAM = "event stream"
    SESSION = "MCP session"
    STATELESS = "MCP, stateless"


class Outcome(StrEnum):
    """What became of it. Only `WELL` is as it should be; what is neither that nor `FAILED` is counted apart.

    `ENDED`: a stream that its server brought to its end, where that is no fault.
    `TWICE`: a write that was answered as one that had come before, though the client sent it once.
    """

    WELL = "well"
    FAILED = "failed"
    CUT = "cut"
    ENDED = "ended in order"
    TWICE = "stored twice"
    FORGOTTEN = "session forgotten"


@dataclass(frozen=True)
class Request:
    """One request. `start` and `end` are Unix time; `status` is 0 when no answer came, `error` says what was wrong.

    `colour` and `release` are what answered, as far as it said so; `id` is a write's, `ticks` a stream's.
    """

    kind: Kind
    start: float
    end: float
    outcome: Outcome = Outcome.WELL
    status: int = 0
    error: str = ""
    colour: str = ""
    release: str = ""
    id: str = ""
    ticks: int = 0

    def line(self) -> str:
        return json.dumps(astuple(self)) + "\n"


def read_line(line: str) -> Request:
    """The request that a line was written for."""
    kind, start, end, outcome, *rest = json.loads(line)
    return Request(Kind(kind), start, end, Outcome(outcome), *rest)
