"""The releases that a droplet keeps: pruning after many failed releases never removes the last good one."""

import re

from flows.core.errors import BadRetention
from flows.core.records.history import History

# As `release_name` makes them; whatever else somebody put below `releases/` is not ours to judge.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.[0-9a-f]{16}")


def kept_names(history: History, keep: int) -> frozenset[str]:
    """The names of the release directories that stay, as `why_kept` decides."""
    return frozenset(why_kept(history, keep))


def why_kept(history: History, keep: int) -> dict[str, str]:
    """The release directories that stay, each with the reason in words.

    The `keep` newest good releases, the current one and the candidate. Where records cannot be read,
    every release on the droplet may be the good one; and as long as no good one is on record, so may those that no
    record names.

    Args:
        keep: how many good releases stay; at least 1.

    Raises:
        BadRetention
    """
    check_retention(keep)
    good = history.good()
    reasons: dict[str, str] = {}
    if history.damaged:
        words = f"{', '.join(history.damaged)} cannot be read, so it may be a good one"
        reasons |= dict.fromkeys(sorted(history.kept), words)
    elif not good:
        unknown = history.kept - {record.name for record in history.records}
        reasons |= dict.fromkeys(sorted(unknown), "no record names it, and none names a good one")
    reasons |= {record.name: "good" for record in good[:keep]}
    if history.unfinished:
        reasons[history.unfinished.name] = "the candidate"
    if history.current:
        reasons[history.current] = "the current one"
    return reasons


def check_retention(keep: int) -> int:
    """Return how many good releases stay, checked.

    Raises:
        BadRetention: fewer than one.
    """
    if keep < 1:
        raise BadRetention(
            f"{keep} good releases were to be kept, and a rollback needs at least one. Nothing was changed. "
            "Keep at least 1: --keep N, or the setting `retention`"
        )
    return keep


def is_release(name: str) -> bool:
    """Whether a directory below `releases/` has the form of a release's name."""
    return _NAME.fullmatch(name) is not None
