"""The marker of a colour that is asleep: its containers are stopped and stay, and it is no fault that they are.

It is written before anything is stopped, and removed after everything is ready again. So a run that ends in between
leaves a marker beside containers that run, and that is put right by whoever comes next.
"""

import json
import shlex
from dataclasses import asdict, dataclass

from flows.core.droplet.directories import StackDirectory

SECTION = "asleep"
_LONGEST = 65536


@dataclass(frozen=True)
class SleepMarker:
    """The marker's content.

    Args:
        release: the name of the release that was put to sleep. The marker says nothing of any other one.
        services: those that ran then, and so are started again.
        since: when (ISO 8601, UTC).
    """

    release: str
    services: tuple[str, ...] = ()
    since: str = ""

    def document(self) -> bytes:
        """The marker as one line of JSON."""
        return f"{json.dumps(asdict(self))}\n".encode()


def sleep_sections(directory: StackDirectory) -> dict[str, str]:
    """Section name → the command that prints the marker, or nothing."""
    return {SECTION: f"head -c {_LONGEST} {shlex.quote(directory.asleep)} 2>/dev/null"}


def mark_asleep_script(directory: StackDirectory) -> str:
    """The script that writes the marker from standard input, whole or not at all; it may run twice."""
    path, new = shlex.quote(directory.asleep), shlex.quote(f"{directory.asleep}.new")
    return f"set -eu; umask 077; cat >{new}; mv {new} {path}"


def mark_awake_script(directory: StackDirectory) -> str:
    """The script that removes the marker; it may run twice."""
    return f"rm -f {shlex.quote(directory.asleep)}"


def read_marker(text: str, current: str) -> SleepMarker | None:
    """Parse the marker. One that cannot be read, or of another release, is none: what is stopped then is a fault, and
    is started again.

    Args:
        current: the name of the release that is current.
    """
    try:
        said = json.loads(text)
        marker = SleepMarker(str(said["release"]), tuple(map(str, said["services"])), str(said.get("since", "")))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return marker if current and marker.release == current else None
