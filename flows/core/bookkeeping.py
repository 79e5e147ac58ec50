"""How records change: opened before a release is put on a droplet, closed once it is judged."""

from dataclasses import dataclass
from enum import Enum

from flows.core.record import History, Kind, Outcome, Record, Run
from flows.core.release import Release

_REASON = 600


def opened(
    history: History, release: Release, name: str, *, kind: Kind, environment: str, run: Run, now: str, reason: str = ""
) -> tuple[Record, list[Record]]:
    """The record of what begins now, and the records that are left unfinished behind it, closed.

    Args:
        name: the release's directory.
        environment: hash of its environment.
        now: ISO 8601, UTC.
        reason: why the release before it failed.
    """
    before, leaves = history.deployed(), left_behind(history) if kind == "rollback" else None
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
    )
    why = reason or f"interrupted: {record.kind} {record.number} of {record.tag} came after it"
    return record, [closed(old, Outcome.FAILED, now, why) for old in history.records if old.open]


def proved(record: Record, now: str) -> Record:
    """Its services were ready, and their digests those of the release."""
    return record.model_copy(update={"deployed": now})


def closed(record: Record, outcome: Outcome, now: str, reason: str = "") -> Record:
    """What became of it, and why in one line."""
    line = next((line.strip() for line in reason.splitlines() if line.strip()), "")
    words = line if len(line) <= _REASON else f"{line[: _REASON - 1]}…"
    return record.model_copy(update={"outcome": outcome, "ended": now, "reason": words or record.reason})


def judged(history: History, record: Record, now: str, reason: str = "") -> list[Record]:
    """The records to write once it is judged: good without a reason, failed with one.

    What a good rollback went away from counts as rolled back.
    """
    outcome = Outcome.FAILED if reason else Outcome.GOOD
    left = [old for old in history.records if old.number == record.leaves and outcome is Outcome.GOOD]
    return [closed(record, outcome, now, reason), *(closed(old, Outcome.ROLLED_BACK, now) for old in left)]


def left_behind(history: History) -> Record | None:
    """The record that a rollback goes away from: the newest one unless it is good, else that of what runs."""
    newest = history.newest
    return newest if newest and newest.outcome is not Outcome.GOOD else history.deployed()


class Mending(Enum):
    """What a droplet needs after a run that ended in between."""

    NOTHING = "nothing"
    VALIDATE = "validate"
    RESTORE = "restore"
    ROLL_BACK = "roll back"


@dataclass(frozen=True)
class Plan:
    """What has to be done, to which record's release, and why in words."""

    mending: Mending
    record: Record | None
    why: str


def mend(history: History, wrong: list[str]) -> Plan:
    """Decide how to finish or undo what an ended run left.

    Args:
        wrong: how what runs differs from the release that `current` leads to.
    """
    newest, good, runs = history.newest, history.last_known_good(), history.deployed()
    if newest is None:
        return Plan(Mending.NOTHING, None, "nothing was ever put on this droplet")
    if newest.open:
        return _unfinished(newest, history, wrong)
    if newest.outcome is not Outcome.GOOD and good:
        return Plan(Mending.ROLL_BACK, good, f"{_words(newest)} failed: back to {good.tag}")
    if wrong and runs is not None and runs.name in history.kept:
        return Plan(Mending.RESTORE, runs, f"what runs is not release {runs.tag}: {'; '.join(wrong)}")
    return Plan(Mending.NOTHING, runs, f"release {runs.tag} runs as it should" if runs else "there is nothing to mend")


def _unfinished(newest: Record, history: History, wrong: list[str]) -> Plan:
    what, good, there = _words(newest), history.last_known_good(), newest.name in history.kept
    if newest.kind == "rollback" and there:
        return Plan(Mending.RESTORE, newest, f"{what} was interrupted: it is finished")
    if newest.deployed and not wrong:
        return Plan(Mending.VALIDATE, newest, f"{what} runs, and was never judged")
    if good:
        return Plan(Mending.ROLL_BACK, good, f"{what} was interrupted: back to {good.tag}")
    if there:
        return Plan(Mending.RESTORE, newest, f"{what} was interrupted, with nothing to go back to: it is finished")
    return Plan(Mending.NOTHING, None, f"{what} was interrupted before it changed anything")


def _words(record: Record) -> str:
    return f"{record.kind} {record.number} of {record.tag}"
