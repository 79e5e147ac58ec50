"""audit.py CACHE LOCK…: ask what is known to be wrong with the packages of the lock files; findings end it with 1.

Where nobody can be asked (no network, or an index that has the packages and no advisories), it says so in a line and
ends well: what cannot be asked is no finding. The shortest lock file goes first: it tells soonest.
"""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

# What is known and does not concern us: the advisory's name, and why not.
ACCEPTED: dict[str, str] = {}

_AWAY = re.compile(r"ConnectionError|ProxyError|SSLError|Timeout|[Cc]ould not connect|Server Error")


class NobodyToAsk(Exception):
    """There is no source of advisories here. The text says how that is known."""


def audit(cache: str, lock: str) -> tuple[list[str], list[str]]:
    """What is wrong, and what else there is to say."""
    argv = ["pip-audit", "--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off"]
    argv += ["--timeout", "5", "--cache-dir", cache, "--requirement", lock]
    argv += [word for name in ACCEPTED for word in ("--ignore-vuln", name)]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        raise NobodyToAsk("it did not answer within 300 s") from None
    if done.stdout.startswith("{"):
        return _judge(json.loads(done.stdout)["dependencies"])
    last = (done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1]
    if _AWAY.search(last):
        raise NobodyToAsk(last[:200])
    return [f"{lock}: {last}"], []


def _judge(packages: Sequence[dict[str, Any]]) -> tuple[list[str], list[str]]:
    unknown = [str(one["name"]) for one in packages if "skip_reason" in one]
    if len(unknown) == len(packages):
        raise NobodyToAsk(f"it knows nothing of {', '.join(unknown[:3])}")
    wrong = [(one, found) for one in packages for found in one.get("vulns", [])]
    return [
        f"{one['name']} {one['version']}: {found['id']}, mended in {', '.join(found['fix_versions']) or 'none yet'}"
        for one, found in wrong
    ], [f"not known there: {name}" for name in unknown]


def _main(cache: str, *locks: str) -> int:
    wrong, more = [], []
    try:
        for lock in locks:
            found, said = audit(cache, lock)
            wrong, more = [*wrong, *found], [*more, *said]
    except NobodyToAsk as reason:
        more.append(f"skipped. There is no source of advisories here: {reason}")
    print("\n".join(dict.fromkeys([*wrong, *more])) or "nothing known")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
