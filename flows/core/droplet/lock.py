"""The droplet's lock: the scripts that hold it, and that run a command under it.

The lock is an flock on a file, held by a process whose standard input is our SSH channel, fed a heartbeat. The worker
is killed: the channel ends, and the lock is free at once. The network is gone: no heartbeat comes, and the lock is free
after its lease. Whatever the holder still runs on the droplet is ended first, so that two never change it at a time.
"""

import json
import posixpath
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from flows.core.droplet.private_place import PRIVATE_PLACE

LEASE = 20
BEAT = 4.0
BYE = "bye"
HELD = "held"
BUSY = "busy "
# Exit codes of our own.
CANNOT_WRITE, NOT_OURS, HELD_BY_ANOTHER, LOST = 73, 74, 75, 76

# Arguments: directory, token, lease and wait in seconds. Standard input: who holds it, then a line a heartbeat.
_HOLD = (
    PRIVATE_PLACE
    + r"""
set -u
umask 077
dir=$1 token=$2 lease=$3 wait=$4
trap '' PIPE
if mkdir -p "$dir"; then
    # Whoever else may write there, or made it, could lead what we write elsewhere.
    if [ -L "${dir%/}" ]; then why='is a link'
    elif [ "$(stat -c %u "$dir")" != "$(id -u)" ]; then why="belongs to $(stat -c %U "$dir")"
    elif [ -n "$(find "$dir" -maxdepth 0 -perm /022)" ]; then why='can be written by others'
    else why=; fi
    if [ -n "$why" ]; then echo "$why" >&2; exit 74; fi
fi
[ -d "$dir" ] && exec 9>>"$dir/lock" 8>>"$dir/lock.busy" || exit 73
if ! flock -n 9; then
    printf 'busy %s\n' "$(cut -d' ' -f2- "$dir/lock.holder" 2>/dev/null | tr -d '\n')"
    [ "$wait" -gt 0 ] && flock -w "$wait" 9 || exit 75
fi
alone() {
    local turn group told=
    for turn in {1..100}; do
        flock -n 8 && break
        group=$(<"$dir/lock.busy")
        if ((turn > 1)) && [[ -n $group && $group != "$told" ]]; then
            told=$group
            kill -TERM -- "-$group"
        elif ((turn > 30)); then
            kill -KILL -- "-$group"
        fi
        sleep 0.1
    done 2>/dev/null
    : >"$dir/lock.busy"
    flock -u 8
}
release() {
    if grep -qF "$token" "$dir/lock.holder" 2>/dev/null; then rm -f "$dir/lock.holder"; fi
    alone
}
IFS= read -r -t "$lease" holder || exit 1
trap release EXIT
trap 'exit 1' HUP INT TERM
alone
sweep /dev/shm "${TMPDIR:-/tmp}"
printf '%s %s\n' $$ "$holder" >"$dir/lock.holder.new" && mv "$dir/lock.holder.new" "$dir/lock.holder" || exit 73
echo held
while IFS= read -r -t "$lease" line; do
    echo "$line"
    [ "$line" != bye ] || break
done
"""
)

# Arguments: directory, token, then the command. While it runs, nobody else gets the lock.
_GUARD = """
exec 8>>"$1/lock.busy" || exit 73
flock -w 15 8 || exit 75
grep -qF "$2" "$1/lock.holder" 2>/dev/null || exit 76
cut -d' ' -f5 "/proc/$$/stat" >"$1/lock.busy"
shift 2
exec "$@"
"""


@dataclass(frozen=True)
class Holder:
    """The holder of a droplet's lock: who, for what, by which run, since when (ISO 8601, UTC)."""

    token: str = ""
    by: str = ""
    purpose: str = ""
    run: str = ""
    url: str = ""
    since: str = ""

    def line(self) -> str:
        """The holder as one line of JSON."""
        return json.dumps(asdict(self))

    def __str__(self) -> str:
        run = f" (run {self.run})" if self.run else ""
        return f"{self.by or 'somebody'}: {self.purpose or 'a run'}{run}, since {self.since or 'just now'}"


def read_holder(text: str) -> Holder:
    """Parse a holder's line; one that cannot be read is a holder without a name."""
    try:
        found = json.loads(text)
        return Holder(**{name: str(found.get(name, "")) for name in Holder.__dataclass_fields__})
    except (ValueError, AttributeError, RecursionError):
        return Holder()


def hold_script(directory: str, token: str, wait: float = 0.0, lease: int = LEASE) -> list[str]:
    """The command that takes the lock and holds it for as long as heartbeats come.

    Prints `busy HOLDER` when another has it, then `held`, then each heartbeat again.

    Args:
        directory: Slipway's directory on the droplet.
        wait: seconds to wait for another to let go.
        lease: seconds without a heartbeat after which it lets go.
    """
    return ["bash", "-c", _HOLD, "slipway-lock", directory, token, str(lease), str(round(wait))]


def guarded_script(directory: str, token: str, command: str | Sequence[str]) -> list[str]:
    """The command that runs another one only while the lock with this token is still ours; else it exits with LOST."""
    argv = ["sh", "-c", command] if isinstance(command, str) else list(command)
    return ["sh", "-c", _GUARD, "slipway", directory, token, *argv]


def holder_script(directory: str) -> str:
    """The script that prints who holds the lock, if anybody does. It asks the holder's process, not the lock."""
    holder = shlex.quote(posixpath.join(directory, "lock.holder"))
    return (
        f"read -r pid who 2>/dev/null <{holder} && grep -qs slipway-lock /proc/$pid/cmdline && "
        "printf '%s\\n' \"$who\" || true"
    )
