"""A history of releases on one droplet, as runs would have left it: every record goes through the code of releases."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flows.core.records.history import History
from flows.core.records.lifecycle import close_record, conclude, mark_deployed, open_record
from flows.core.records.measurements import BuildTimes, GateNumbers, Measurements, Pull, Turn
from flows.core.records.record import Record, RecordOutcome, Run
from tests.support.builders import HOST, pinned, release


@dataclass(frozen=True)
class Moment:
    """The history as it stood at one moment."""

    at: datetime
    history: History


class MadeHistory:
    """Releases, one after the other; `moments` has the history after each write."""

    def __init__(self, begins: datetime, stack: str = "shop") -> None:
        self.now, self.stack = begins, stack
        self.history = History()
        self.moments = [Moment(begins, self.history)]

    def wait(self, seconds: float) -> None:
        """Time goes by."""
        self.now += timedelta(seconds=seconds)

    def deploy(self, tag: str, *, good: bool = True, deployed: bool = True, reason: str = "", seconds: float = 40.0,
               pull: float = 4.0) -> Record:  # fmt: skip
        """A release is put there, and judged: good, failed, or (neither a reason nor good) not at all."""
        record = self._open(tag, "deploy")
        self.wait(seconds)
        if not deployed:
            return record
        record = mark_deployed(record.model_copy(update={"measured": self._measured(seconds, pull)}), self._said)
        self._write(record)
        if good or reason:
            self.wait(seconds / 10)
            self._write(*conclude(self.history, record, self._said, "" if good else reason))
        return self._newest

    def roll_back(self, to: str, *, seconds: float = 12.0, good: bool = True) -> Record:
        """A release that was good runs again."""
        record = self._open(to, "rollback", reason="it failed")
        self.wait(seconds)
        measured = Measurements(restored_seconds=seconds, lock_seconds=0.5, steps={"start services": seconds / 2})
        record = mark_deployed(record.model_copy(update={"measured": measured}), self._said)
        self._write(record)
        self._write(*conclude(self.history, record, self._said, "" if good else "it failed, too"))
        return self._newest

    def promote(self, *, passes: bool = True, seconds: float = 30.0) -> None:
        """Traffic is sent to what runs there, if its gates pass."""
        self.wait(seconds)
        gates = tuple(
            GateNumbers(gate=gate, verdict="pass" if passes else "fail", found="0 %", wanted="at most 1 %", query="up")
            for gate in ("digests", "error rate")
        )
        turn = Turn(colour="green", previous="blue", at=self._said, turned_seconds=0.2, seen_seconds=0.6, lost=0)
        later = Measurements(gates=gates, turn=turn, steps={"turn the switch": 0.2, "watch": seconds})
        record = self._newest
        self._write(record.model_copy(update={"measured": (record.measured or Measurements()).merged(later)}))

    def fails_afterwards(self) -> None:
        """What was good turns out not to be, as a watch finds."""
        self.wait(20)
        self._write(close_record(self._newest, RecordOutcome.FAILED, self._said, "gate error rate failed"))

    def week(self, releases_a_day: int = 3) -> None:
        """A week of releases: most are good and promoted, some fail, one is undone."""
        for number in range(7 * releases_a_day):
            tag = f"v{number}"
            if number % 7 == 5:
                self.deploy(tag, good=False, reason="api: health: 503", seconds=60, pull=8)
                self.roll_back(f"v{number - 1}")
            else:
                self.deploy(tag, seconds=30 + number % 5, pull=2 + number % 9)
                self.promote()
            if number % 11 == 8:
                self.fails_afterwards()
            self.wait(24 * 3600 / releases_a_day)

    def killed_at_once(self, tag: str) -> None:
        """A run ends after it closed the records before it, and before it wrote its own."""
        self._open(tag, "deploy", killed=True)

    def judged_after_all(self, *, good: bool = True) -> None:
        """Somebody judges what nobody had."""
        if record := self.history.unfinished:
            self.wait(30)
            self._write(*conclude(self.history, record, self._said, "" if good else "it failed"))

    def _open(self, tag: str, kind, reason: str = "", *, killed: bool = False) -> Record:
        given = {"kind": kind, "environment": "e", "run": Run(id="r", by="ci@runner"), "now": self._said}
        document = release(stack=self.stack, tag=tag, commit=f"{len(tag):x}" * 40)
        record, closed = open_record(self.history, document, f"{tag}.0", reason=reason, **given)
        self._write(*closed, *([] if killed else [record]))
        return record

    def _measured(self, seconds: float, pull: float) -> Measurements:
        committed = (self.now - timedelta(minutes=20)).isoformat(timespec="seconds")
        pulls = (
            Pull(image=pinned("web"), registry=HOST, seconds=pull, bytes=20_000_000),
            Pull(image=pinned("worker"), registry=HOST, seconds=pull / 4, bytes=0),
        )
        return Measurements(
            committed=committed, build=BuildTimes(build_seconds=50, push_seconds=9, pushed_bytes=30_000_000),
            lock_seconds=0.2, steps={"pull images": pull, "start services": seconds / 2}, pulls=pulls,
            agents={"orchestrator": True, "cicd": None},
        )  # fmt: skip

    @property
    def _said(self) -> str:
        return self.now.isoformat(timespec="seconds")

    @property
    def _newest(self) -> Record:
        assert self.history.newest
        return self.history.newest

    def _write(self, *records: Record) -> None:
        if not records:
            return
        known = {record.number: record for record in (*self.history.records, *records)}
        kept = tuple(known[number] for number in sorted(known))
        self.history = replace(
            self.history,
            records=kept,
            kept=frozenset(r.name for r in kept),
            current=kept[-1].name,
            last_number=max(known),
        )
        self.moments.append(Moment(self.now, self.history))


def as_of(moments: list[Moment], at: datetime) -> History:
    """The history as it stood then."""
    return next(moment.history for moment in reversed(moments) if moment.at <= at)


def steps(begins: datetime, ends: datetime, seconds: float) -> Iterator[datetime]:
    """Moments from one to the other."""
    while begins <= ends:
        yield begins
        begins += timedelta(seconds=seconds)
