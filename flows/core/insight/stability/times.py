"""Moments as records tell them. A clock that was wrong is told, and what it stamped is left out of what is counted."""

from datetime import UTC, datetime, timedelta

# A droplet's or a worker's clock may be so much ahead of ours.
TOLERANCE = timedelta(minutes=10)
_FIRST = datetime(1970, 1, 2, tzinfo=UTC)  # a clock that was never set starts at the first day


def read_moment(text: str | None, now: datetime) -> datetime | None:
    """A moment as a record has it (ISO 8601; without an offset UTC is meant); None: it has none that can be.

    What lies before 1970-01-02 or in the future cannot be.
    """
    try:
        found = datetime.fromisoformat(text or "")
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if _FIRST <= found <= now + TOLERANCE else None


def seconds_between(begin: datetime | None, end: datetime | None) -> float | None:
    """The seconds between two moments; None where one is unknown, or the end lies before the beginning."""
    if begin is None or end is None or end < begin:
        return None
    return (end - begin).total_seconds()


def told_moment(moment: datetime | None) -> str:
    """ISO 8601 in UTC, to the second; '' if unknown."""
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else ""
