"""Release records: what a droplet keeps of each release that was put on it, and what follows from them."""

import difflib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from flows.core.errors import AlreadyRunning, ForeignRecord, NewerRecord, NothingGood, NotOnRecord

FORMAT = 1
Kind = Literal["deploy", "rollback"]


class Outcome(Enum):
    """What became of a release on a droplet. `candidate`: nobody has judged it yet."""

    CANDIDATE = "candidate"
    GOOD = "good"
    FAILED = "failed"
    ROLLED_BACK = "rolled back"


class Run(BaseModel):
    """The Prefect run that did it, and who started it where."""

    model_config = ConfigDict(frozen=True)

    id: str = ""
    name: str = ""
    url: str = ""
    by: str = ""


class Record(BaseModel):
    """One time that one release was put on one droplet.

    `number` counts up on each droplet and orders the records, whatever clocks say. `name` is the release's directory,
    `environment` a hash of what the stack's environment held, never a value of it. `previous` is the directory that ran
    before, `leaves` the number of the record that a rollback goes away from. `deployed` is set once the services
    were ready and their digests proved, `ended` once the release was judged. Times are ISO 8601, UTC.
    """

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    number: int
    stack: str
    kind: Kind = "deploy"
    tag: str
    name: str
    commit: str | None = None
    environment: str = ""
    previous: str | None = None
    previous_tag: str | None = None
    leaves: int | None = None
    run: Run = Run()
    began: str = ""
    deployed: str | None = None
    ended: str | None = None
    outcome: Outcome = Outcome.CANDIDATE
    reason: str = ""

    @property
    def file(self) -> str:
        """The record's file below `history/`; its name sorts as its number does."""
        return f"{self.number:06d}.json"

    @property
    def open(self) -> bool:
        """Whether nobody has judged it yet."""
        return self.outcome is Outcome.CANDIDATE

    def document(self) -> bytes:
        """The record as JSON that a person can read."""
        return (self.model_dump_json(indent=2) + "\n").encode()


@dataclass(frozen=True)
class History:
    """The records of one stack on one droplet, oldest first, and what could not be read.

    Args:
        kept: names of the release directories that stand on the droplet.
        current: name of the release directory that `current` leads to; '' if none.
        damaged: files that hold no record.
    """

    records: tuple[Record, ...] = ()
    kept: frozenset[str] = frozenset()
    current: str = ""
    damaged: tuple[str, ...] = ()
    last_number: int = 0

    @property
    def newest(self) -> Record | None:
        """The record written last."""
        return self.records[-1] if self.records else None

    @property
    def unfinished(self) -> Record | None:
        """The newest record, when nobody has judged it: its run ended in between, or it awaits its validation."""
        return self.newest if self.newest and self.newest.open else None

    @property
    def next_number(self) -> int:
        """The number of the next record; damaged ones count too."""
        return self.last_number + 1

    def good(self) -> list[Record]:
        """Good records whose release stands on the droplet, newest first, each release once.

        A release that was rolled back from is not good any more, however often it was before.
        """
        judged = {r.name: r for r in self.records if r.outcome in (Outcome.GOOD, Outcome.ROLLED_BACK)}
        found = [r for r in judged.values() if r.outcome is Outcome.GOOD and r.name in self.kept]
        return sorted(found, key=lambda record: -record.number)

    def last_known_good(self) -> Record | None:
        """The newest release whose gate passed here."""
        return next(iter(self.good()), None)

    def deployed(self) -> Record | None:
        """The newest record of what `current` leads to."""
        return next((record for record in reversed(self.records) if record.name == self.current), None)


def read_history(files: Iterable[tuple[str, str]], kept: Collection[str], current: str, stack: str) -> History:
    """Parse the records of a droplet.

    Args:
        files: file name and content.

    Raises:
        ForeignRecord: a record is of another stack.
        NewerRecord: a record is of a format this version does not know.
    """
    records, damaged, last = [], [], 0
    for name, text in files:
        stem = name.removesuffix(".json")
        last = max(last, int(stem) if stem.isdecimal() else 0)
        try:
            record = Record.model_validate_json(text)
        except ValidationError:
            if _format(text) > FORMAT:
                raise _newer(name, _format(text)) from None
            damaged.append(name)
            continue
        if record.format > FORMAT:
            raise _newer(name, record.format)
        if record.stack != stack:
            raise ForeignRecord(
                f"record {name} belongs to stack {record.stack}, not to {stack}. "
                "Give the droplet's block another directory, or the stack its own name"
            )
        records.append(record)
    records.sort(key=lambda record: record.number)
    return History(tuple(records), frozenset(kept), current, tuple(sorted(damaged)), last)


def rollback_target(history: History, to: str | None) -> Record:
    """The record that a rollback goes to: the newest good one of that tag; without a tag the last known good.

    A settled droplet goes back from its newest good release to the one before; one whose newest release was never
    judged, or failed, goes back to the last known good.

    Raises:
        NotOnRecord, NothingGood, AlreadyRunning
    """
    good = history.good()
    settled = bool(history.newest and history.newest.outcome is Outcome.GOOD)
    runs = history.current if settled else ""
    if to is None:
        target = next((record for record in good if record.name != runs), None)
        if target is None:
            raise NothingGood(_nothing_good(history))
        return target
    if to not in {record.tag for record in history.records}:
        near = difflib.get_close_matches(to, sorted({record.tag for record in good}), n=3)
        hint = f" Did you mean {', '.join(near)}?" if near else f" On record and good: {_tags(good)}."
        raise NotOnRecord(
            f"release {to} was never put on this droplet.{hint} To put it there: slipway deploy --tag {to}"
        )
    target = next((record for record in good if record.tag == to), None)
    if target is None:
        raise NothingGood(
            f"release {to} is on record here, but it never passed its validation, or its files are gone. "
            f"Good ones: {_tags(good)}. To put it there anew: slipway deploy --tag {to}"
        )
    if target.name == runs:
        raise AlreadyRunning(f"release {to} is what runs already. What stands here: slipway history")
    return target


def _nothing_good(history: History) -> str:
    if not history.records:
        return "nothing was ever put on this droplet. Deploy a release: slipway deploy --tag TAG"
    return "no other release on this droplet ever passed its validation. Deploy one: slipway deploy --tag TAG"


def _tags(records: Sequence[Record]) -> str:
    return ", ".join(dict.fromkeys(record.tag for record in records)) or "none"


def _newer(name: str, found: int) -> NewerRecord:
    return NewerRecord(
        f"record {name} is of format {found}, and this version of Slipway reads format {FORMAT}. "
        "Use the version that wrote it: nothing was changed"
    )


def _format(text: str) -> int:
    class Head(BaseModel):
        format: int = 0

    try:
        return Head.model_validate_json(text).format
    except ValidationError:
        return 0
