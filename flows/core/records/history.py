"""The history of a stack on a droplet: its release records, and the releases that are good."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from flows.core.errors import ForeignRecord, NewerRecord
from flows.core.records.record import FORMAT, Record, RecordOutcome


@dataclass(frozen=True)
class History:
    """The release records of one stack on one droplet, oldest first.

    Args:
        kept: names of the release directories on the droplet.
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
        """The newest record."""
        return self.records[-1] if self.records else None

    @property
    def newest_is_damaged(self) -> bool:
        """Whether something was done after the newest record whose own record cannot be read."""
        return self.newest is not None and self.last_number > self.newest.number

    @property
    def unfinished(self) -> Record | None:
        """The newest record, when nobody has judged it: its run ended in between, or it awaits its validation.

        Nor has anybody judged one that was superseded when the run that came after it was killed before it wrote its
        own record: it is a candidate still.
        """
        newest = self.newest
        if newest and newest.outcome is RecordOutcome.SUPERSEDED and not self.newest_is_damaged:
            still_open = {"outcome": RecordOutcome.CANDIDATE, "ended": None, "reason": "", "format": 1}
            return newest.model_copy(update=still_open)
        return newest if newest and newest.open else None

    @property
    def next_number(self) -> int:
        """The number of the next record; damaged ones count too."""
        return self.last_number + 1

    def good(self) -> list[Record]:
        """The good records whose release directory is still there, newest first, each release once.

        A release that was rolled back from is not good any more, however often it was before.
        """
        judged = {r.name: r for r in self.records if r.outcome in (RecordOutcome.GOOD, RecordOutcome.ROLLED_BACK)}
        found = [r for r in judged.values() if r.outcome is RecordOutcome.GOOD and r.name in self.kept]
        return sorted(found, key=lambda record: -record.number)

    def last_known_good(self) -> Record | None:
        """The newest good record."""
        return next(iter(self.good()), None)

    def deployed(self) -> Record | None:
        """The newest record of the current release."""
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
