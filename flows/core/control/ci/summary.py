"""A run's summary for a CI job, in Markdown: how it ended, its steps and times, and the tables that it left."""

import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flows.core.control.ci.trigger import Ending
from flows.core.quotation import literal, quoted_line, without_controls

_MOST_TABLES = 20
_MOST_ROWS = 200
_CODE = re.compile(r"(`+)(.+?)\1")
_WORDS = {
    Ending.COMPLETED: "🟢 completed",
    Ending.FAILED: "🔴 failed",
    Ending.CANCELLED: "⚪ cancelled",
    Ending.TIMED_OUT: "🟡 timed out",
    Ending.SUPERSEDED: "⚪ superseded",
    Ending.PAUSED: "🟡 waits for an answer",
}


def run_summary(
    name: str,
    link: str,
    ending: Ending | None,
    message: str,
    steps: Iterable[tuple[str, str, float]],
    artifacts: Sequence[Mapping[str, Any]],
) -> str:
    """The whole summary.

    Args:
        ending: None: nobody waited for its end.
        steps: each with its name, its state and its seconds.
        artifacts: as Prefect's API has them, tables among them.
    """
    parts = [f"## {_words(name)}", f"{_WORDS[ending] if ending else 'started'} · [the run]({_link(link)})"]
    if message:
        parts.append(_words(message))
    parts += [part for one in artifacts[:_MOST_TABLES] if (part := _artifact(one))]
    if rows := [{"step": step, "state": state, "seconds": f"{seconds:.1f}"} for step, state, seconds in steps]:
        parts.append(_table(rows))
    return "\n\n".join(parts) + "\n"


def artifact_rows(artifact: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of a table artifact; none for what is no such table."""
    if artifact.get("type") != "table" or not isinstance(artifact.get("data"), str):
        return []
    try:
        rows = json.loads(artifact["data"])
    except (ValueError, RecursionError):
        return []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return []
    return rows


def plain_cell(value: Any) -> str:
    """A value of such a row as text: what an artifact shows as code is unwrapped."""
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    whole = _CODE.fullmatch(text.strip())
    return whole[2].strip() if whole else text


def _artifact(artifact: Mapping[str, Any]) -> str:
    """A table artifact under its description; '' for what is none."""
    if not (rows := artifact_rows(artifact)):
        return ""
    said = artifact.get("description")
    return "\n\n".join(part for part in (f"### {_words(said)}" if isinstance(said, str) else "", _table(rows)) if part)


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows[:_MOST_ROWS] for name in row))
    lines = [_row(_words(name) for name in names), _row("---" for _ in names)]
    lines += [_row(_cell(row.get(name)) for name in names) for row in rows[:_MOST_ROWS]]
    if len(rows) > _MOST_ROWS:
        lines.append(_row([f"{len(rows) - _MOST_ROWS} more", *("" for _ in names[1:])]))
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: Any) -> str:
    """One value; what an artifact already shows as code is unwrapped first, and quoted anew."""
    return _words(plain_cell(value))


def _words(text: str) -> str:
    return literal(quoted_line(without_controls(text)))


def _link(url: str) -> str:
    """An address that ends no link of Markdown."""
    return html.escape(re.sub(r"[\s()<>]", "", without_controls(url)))
