"""The report of the judge, `reports/differential.md`: stacks, containers, what was compared, what differs."""

import fcntl
import json
from dataclasses import asdict
from pathlib import Path

from tests import CHECKOUT
from tests.support.judge.play import Round

DIRECTORY = CHECKOUT / "reports"
HEAD = ("stack", "release", "containers", "fields", "of these files and directories", "replaced", "result")


def keep(rounds: list[Round], directory: Path = DIRECTORY) -> None:
    """Put what became of a stack into the report; what it says of others stays."""
    if not rounds:
        return
    own = directory / "differential"
    own.mkdir(parents=True, exist_ok=True)
    with (own / ".lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)  # several processes run tests
        (own / f"{rounds[0].stack}.json").write_text(json.dumps([asdict(one) for one in rounds], indent=1))
        known = [Round(**one) for file in sorted(own.glob("*.json")) for one in json.loads(file.read_text())]
        (directory / "differential.md").write_text(markdown(known))


def markdown(rounds: list[Round]) -> str:
    """The page."""
    rows = [HEAD, tuple("---" for _ in HEAD), *map(_row, rounds)]
    stacks = {one.stack for one in rounds}
    different = [one for one in rounds if one.differences]
    lines = [
        "# Released, and run by plain Compose",
        "",
        f"{len(stacks)} stacks, {len(rounds)} releases, {sum(r.containers for r in rounds)} containers, "
        f"{sum(r.fields for r in rounds)} fields compared, of these {sum(r.entries for r in rounds)} files and directories. "
        f"{sum(len(r.differences) for r in rounds)} differences in {len(different)} releases that are not on the list "
        "(docs/STACK.md).",
        "",
        *("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows),
        "",
    ]
    for one in different:
        lines += [f"## {one.stack}, release {one.number}", "", *(f"- {_line(text)}" for text in one.differences), ""]
    return "\n".join(lines)


def _row(one: Round) -> tuple[str, ...]:
    counts = (one.containers, one.fields, one.entries)
    result = (
        f"{len(one.differences)} differences"
        if one.differences
        else "refused, on purpose"
        if one.refused
        else "the same"
    )
    return one.stack, str(one.number), *map(str, counts), one.replaced or "–", result


def _line(text: str) -> str:
    return f"`{text.replace('`', chr(39)).replace(chr(10), ' ')[:600]}`"
