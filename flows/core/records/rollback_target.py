"""The target of a rollback."""

import difflib
from collections.abc import Sequence

from flows.core.errors import AlreadyRunning, NoRollbackTarget, ReleaseNotOnDroplet
from flows.core.records.history import History
from flows.core.records.record import Record, RecordOutcome


def rollback_target(history: History, to: str | None) -> Record:
    """The record that a rollback goes to: the newest good one of that tag; without a tag the last known good.

    Where the newest release is good, that is the good one before it; where it failed, or was never judged, the newest
    good one.

    Raises:
        ReleaseNotOnDroplet, NoRollbackTarget, AlreadyRunning
    """
    good = history.good()
    settled = bool(history.newest and history.newest.outcome is RecordOutcome.GOOD)
    runs = history.current if settled else ""
    if to is None:
        target = next((record for record in good if record.name != runs), None)
        if target is None:
            raise NoRollbackTarget(_nothing_good(history))
        return target
    if to not in {record.tag for record in history.records}:
        near = difflib.get_close_matches(to, sorted({record.tag for record in good}), n=3)
        hint = f" Did you mean {', '.join(near)}?" if near else f" On record and good: {_tags(good)}."
        raise ReleaseNotOnDroplet(
            f"release {to} was never deployed to this droplet.{hint} To deploy it: slipway deploy --tag {to}"
        )
    target = next((record for record in good if record.tag == to), None)
    if target is None:
        raise NoRollbackTarget(
            f"release {to} is on record here, but it never passed its validation, or its files are gone. "
            f"Good ones: {_tags(good)}. To deploy it anew: slipway deploy --tag {to}"
        )
    if target.name == runs:
        raise AlreadyRunning(f"release {to} is what runs already. To see what else there is: slipway history")
    return target


def _nothing_good(history: History) -> str:
    if not history.records:
        return "nothing was ever deployed to this droplet. Deploy a release: slipway deploy --tag TAG"
    return "no other release on this droplet ever passed its validation. Deploy one: slipway deploy --tag TAG"


def _tags(records: Sequence[Record]) -> str:
    return ", ".join(dict.fromkeys(record.tag for record in records)) or "none"
