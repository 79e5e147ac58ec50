"""The table of faults: every case with its fault, its step, the asserted end state, its result and its time."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

HEAD = ("fault", "step", "end state", "result", "seconds")


@dataclass
class Case:
    """One case of the fault suite. A test sets the first three; the others are what became of it."""

    fault: str = ""
    step: str = ""
    expected: str = ""
    result: str = "not run"
    seconds: float = 0.0
    test: str = ""

    def row(self) -> tuple[str, str, str, str, str]:
        return self.fault, self.step, self.expected, self.result, f"{self.seconds:.1f}"


@dataclass
class Results:
    """All cases of a run, in the order they ran."""

    cases: list[Case] = field(default_factory=list)

    def markdown(self) -> str:
        """The table as it is kept in `reports/faults.md`."""
        rows = [HEAD, tuple("---" for _ in HEAD), *(case.row() for case in self.cases)]
        lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
        return "\n".join(["# Faults survived", "", self.summary(), "", *lines, ""])

    def summary(self) -> str:
        """How many cases passed, and how long all took."""
        passed = sum(case.result == "passed" for case in self.cases)
        return f"{passed} of {len(self.cases)} cases passed, {sum(case.seconds for case in self.cases):.0f} s."

    def lines(self) -> list[str]:
        """The table for a terminal."""
        rows = [HEAD, *(case.row() for case in self.cases)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
        return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]

    def write(self, directory: Path) -> None:
        """Keep the table, for people and for programs."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "faults.md").write_text(self.markdown())
        (directory / "faults.json").write_text(json.dumps([asdict(case) for case in self.cases], indent=2) + "\n")
