"""The recovery of a droplet after a run that ended before it was done."""

from dataclasses import dataclass
from enum import Enum

from flows.core.records.history import History
from flows.core.records.record import Record, RecordOutcome

_REASON = 600


class RecoveryAction(Enum):
    """The actions that recover a droplet."""

    NOTHING = "nothing"
    VALIDATE = "validate"
    RESTORE = "restore"
    ROLL_BACK = "roll back"


@dataclass(frozen=True)
class RecoveryPlan:
    """The action that a droplet needs, the record whose release it is about, and why in words."""

    action: RecoveryAction
    record: Record | None
    why: str


def plan_recovery(history: History, wrong: list[str]) -> RecoveryPlan:
    """Decide how to finish or undo what an interrupted run left.

    Args:
        wrong: how what runs differs from the release that `current` leads to.
    """
    newest, good, runs = history.newest, history.last_known_good(), history.deployed()
    if newest is None:
        return RecoveryPlan(RecoveryAction.NOTHING, None, "nothing was ever deployed to this droplet")
    if history.unfinished:
        return _unfinished(history.unfinished, history, wrong)
    if newest.outcome is not RecordOutcome.GOOD and good and not history.newest_is_damaged:
        return RecoveryPlan(RecoveryAction.ROLL_BACK, good, f"{_words(newest)} failed: back to {good.tag}")
    if wrong and runs is not None and runs.name in history.kept:
        return RecoveryPlan(RecoveryAction.RESTORE, runs, f"what runs is not release {runs.tag}: {'; '.join(wrong)}")
    return RecoveryPlan(
        RecoveryAction.NOTHING, runs, f"release {runs.tag} runs as it should" if runs else "there is nothing to recover"
    )


def _unfinished(newest: Record, history: History, wrong: list[str]) -> RecoveryPlan:
    what, good, there = _words(newest), history.last_known_good(), newest.name in history.kept
    if newest.kind == "rollback" and there:
        return RecoveryPlan(RecoveryAction.RESTORE, newest, f"{what} was interrupted: it is finished")
    if newest.deployed and not wrong:
        return RecoveryPlan(RecoveryAction.VALIDATE, newest, f"{what} runs, and was never judged")
    if good:
        return RecoveryPlan(RecoveryAction.ROLL_BACK, good, f"{what} was interrupted: back to {good.tag}")
    if there:
        return RecoveryPlan(
            RecoveryAction.RESTORE, newest, f"{what} was interrupted, with nothing to go back to: it is finished"
        )
    return RecoveryPlan(RecoveryAction.NOTHING, None, f"{what} was interrupted before it changed anything")


def _words(record: Record) -> str:
    return f"{record.kind} {record.number} of {record.tag}"
