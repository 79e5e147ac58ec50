"""The life of a release record: opened before the first change, closed after the verdict."""

from collections.abc import Iterable

from flows.core.records.history import History
from flows.core.records.record import Kind, Record, RecordOutcome, Run, Verified
from flows.core.records.recovery import _REASON
from flows.core.release.release import Release


def open_record(
    history: History, release: Release, name: str, *, kind: Kind, environment: str, run: Run, now: str,
    reason: str = "", verified: Verified | None = None, unverified: str = "",
) -> tuple[Record, list[Record]]:  # fmt: skip
    """The record of what begins now, and the unfinished records before it, closed.

    One that was deployed and waited to be judged is superseded, unless `reason` judges it; one whose run ended before
    it was deployed has failed.

    Args:
        name: the release's directory.
        environment: hash of its environment.
        now: ISO 8601, UTC.
        reason: why the release before it failed.
        verified, unverified: what its signatures proved, or why they did not.
    """
    before, leaves = history.deployed(), record_left_behind(history) if kind == "rollback" else None
    record = Record(
        number=history.next_number,
        stack=release.stack,
        kind=kind,
        tag=release.tag,
        name=name,
        commit=release.commit,
        environment=environment,
        previous=history.current or None,
        previous_tag=before.tag if before else None,
        leaves=leaves.number if leaves else None,
        run=run,
        began=now,
        verified=verified,
        unverified=unverified,
    )
    return record, [_close_for(record, old, now, reason) for old in history.records if old.open]


def _close_for(record: Record, old: Record, now: str, reason: str) -> Record:
    if old.deployed and not reason:
        why = f"{record.kind} {record.number} of {record.tag} came before it was judged"
        return close_record(old, RecordOutcome.SUPERSEDED, now, why)
    why = reason or f"interrupted: {record.kind} {record.number} of {record.tag} came after it"
    return close_record(old, RecordOutcome.FAILED, now, why)


def mark_deployed(record: Record, now: str) -> Record:
    """The record, now deployed: its services were ready, and their digests those of the release."""
    return record.model_copy(update={"deployed": now})


def close_record(record: Record, outcome: RecordOutcome, now: str, reason: str = "") -> Record:
    """The record with its outcome, and the reason in one line."""
    line = next((line.strip() for line in reason.splitlines() if line.strip()), "")
    words = line if len(line) <= _REASON else f"{line[: _REASON - 1]}…"
    closed = {"outcome": outcome, "ended": now, "reason": words or record.reason, "format": outcome.format}
    if not record.open:  # what it was first is counted for good
        first = record.was_good or record.outcome is RecordOutcome.GOOD
        closed |= {"judged": record.judged or record.ended or "", "was_good": first}
    return record.model_copy(update=closed)


def conclude(
    history: History, record: Record, now: str, reason: str = "", *, traced: Iterable[str] = ()
) -> list[Record]:
    """The records to write once a release is judged: good without a reason, failed with one.

    The record that a good rollback replaces counts as rolled back.

    Args:
        traced: services whose workflow probe left a trace, as `traced_services` finds them.
    """
    outcome = RecordOutcome.FAILED if reason else RecordOutcome.GOOD
    record = record.model_copy(update={"traced": tuple(traced) if outcome is RecordOutcome.GOOD else ()})
    left = [old for old in history.records if old.number == record.leaves and outcome is RecordOutcome.GOOD]
    return [
        close_record(record, outcome, now, reason),
        *(close_record(old, RecordOutcome.ROLLED_BACK, now) for old in left),
    ]


def record_left_behind(history: History) -> Record | None:
    """The record that a rollback replaces: the newest one unless it is good, else that of the current release."""
    newest = history.newest
    return newest if newest and newest.outcome is not RecordOutcome.GOOD else history.deployed()
