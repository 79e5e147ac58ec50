"""The table of attacks: what docs/ATTACKS.md lists, with what became of each test when it was last run."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from tests import CHECKOUT

_ROW = re.compile(r"^\| (.+) \| (.+) \| `(tests/[^`:]+)(?::(\w+))?` \|$", re.MULTILINE)
_WORST = ("failed", "error", "passed", "skipped")


def listed() -> list[tuple[str, str, str, str]]:
    """Attack, what becomes of it, the test's file and name ('' for all tests of the file)."""
    return [(*row,) for row in _ROW.findall((CHECKOUT / "docs/ATTACKS.md").read_text())]  # type: ignore[misc]


def of_test(outcomes: Iterable[tuple[str, str]], file: str, name: str) -> str:
    """The worst outcome among a test's cases; '' where none was run.

    Args:
        outcomes: node id and outcome of each test that was run.
    """
    found = {
        outcome
        for node, outcome in outcomes
        if node.startswith(f"{file}::") and (not name or node.partition("::")[2].split("[")[0] == name)
    }
    return next((outcome for outcome in _WORST if outcome in found), "")


def write(outcomes: Iterable[tuple[str, str]], reports: Path) -> None:
    """Write `attacks.md`; what was not run this time keeps what is known of it (`attacks.json`)."""
    kept, known = list(outcomes), reports / "attacks.json"
    before = json.loads(known.read_text()) if known.exists() else {}
    now = {f"{file}:{name}": of_test(kept, file, name) for _, _, file, name in listed()}
    if not any(now.values()):
        return
    after = {test: outcome or before.get(test, "") for test, outcome in now.items()}
    lines = ["# Attacks", "", "| attack | what becomes of it | test | outcome |", "| --- | --- | --- | --- |"]
    for attack, becomes, file, name in listed():
        test = f"{file}:{name}"
        lines.append(f"| {attack} | {becomes} | `{test.rstrip(':')}` | {after[test] or 'not run'} |")
    reports.mkdir(parents=True, exist_ok=True)
    known.write_text(json.dumps(after, indent=1) + "\n")
    (reports / "attacks.md").write_text("\n".join(lines) + "\n")
