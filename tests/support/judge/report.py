"""The report of the judge, `reports/differential.md`: stacks, containers, what was compared, what differs."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

# With a test's report come the rows that it adds, from whatever process it ran in.
ROUND, READINGS = "differential round", "differential readings"
HEAD = ("stack", "release", "containers", "fields", "of these files and directories", "replaced", "result")
_LONGEST = 600


@dataclass
class Round:
    """One release of a stack beside plain Compose: what was compared, and what differs.

    Args:
        entries: files and directories among the fields.
        secrets: how many secrets its environment block holds; published: bytes in which they were looked for.
    """

    stack: str
    number: int
    containers: int = 0
    fields: int = 0
    entries: int = 0
    secrets: int = 0
    published: int = 0
    replaced: str = ""
    refused: str = ""
    differences: list[str] = field(default_factory=list)


@dataclass
class Readings:
    """Generated stacks that were read in three ways.

    Args:
        wrong: of each that was not read alike its number, what is wrong, and its files.
    """

    number: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass
class Report:
    """What a run of the tests found out."""

    rounds: list[Round] = field(default_factory=list)
    readings: list[Readings] = field(default_factory=list)

    @classmethod
    def of(cls, reports: Iterable[Any]) -> "Report":
        """All that came with the reports of tests, in the order of the stacks' names."""
        given = [one for report in reports for one in report.user_properties]
        rounds = [Round(**row) for name, row in given if name == ROUND]
        rounds.sort(key=lambda one: (one.stack, one.number))
        return cls(rounds, [Readings(**row) for name, row in given if name == READINGS])

    def __bool__(self) -> bool:
        return bool(self.rounds or self.readings)

    def sentences(self) -> Iterator[str]:
        """The result in a few sentences."""
        if rounds := self.rounds:
            stacks, different = {one.stack for one in rounds}, [one for one in rounds if one.differences]
            yield (
                f"{len(stacks)} stacks, {len(rounds)} releases, {sum(r.containers for r in rounds)} containers, "
                f"{sum(r.fields for r in rounds)} fields compared, {sum(r.entries for r in rounds)} of these files and "
                "directories."
            )
            yield (
                f"{sum(r.secrets for r in rounds)} secrets were looked for in {sum(r.published for r in rounds):,} "
                "published bytes."
            )
            yield (
                f"{sum(len(r.differences) for r in rounds)} differences in {len(different)} releases that are not on "
                "the list (docs/STACK.md)."
            )
        for one in self.readings:
            yield (
                f"{one.number} generated stacks were read by plain Compose, the build host and a droplet, "
                f"{one.refused} of them refused; {len(one.wrong)} were not read alike."
            )

    def markdown(self) -> str:
        """The page."""
        lines = ["# Released, and run by plain Compose", "", *self.sentences(), ""]
        if self.rounds:
            rows = [HEAD, tuple("---" for _ in HEAD), *map(_row, self.rounds)]
            lines += [*("| " + " | ".join(map(_cell, row)) + " |" for row in rows), ""]
        for one in self.rounds:
            if one.differences:
                lines += [f"## {one.stack}, release {one.number}", "", *map(_line, one.differences), ""]
        for wrong in (text for one in self.readings for text in one.wrong):
            lines += ["## Not read alike", "", "```", wrong.replace("```", "'''"), "```", ""]
        return "\n".join(lines)

    def write(self, directory: Path) -> None:
        """Keep the report, for people and for programs."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "differential.md").write_text(self.markdown())
        (directory / "differential.json").write_text(json.dumps(asdict(self), indent=2) + "\n")


def _row(one: Round) -> tuple[str, ...]:
    counts = (one.containers, one.fields, one.entries)
    result = "refused, on purpose" if one.refused else "the same"
    if one.differences:
        result = f"{len(one.differences)} differences"
    return one.stack, str(one.number), *map(str, counts), one.replaced or "none", result


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _line(text: str) -> str:
    return f"- `{text.replace('`', chr(39)).replace(chr(10), ' ')[:_LONGEST]}`"
