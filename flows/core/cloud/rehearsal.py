"""The report of a rehearsal: its steps with their times, the load on it, its costs, and every deviation."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from flows.core.cloud.costs import Cost
from flows.core.insight.stability.condition import Stability
from flows.core.quotation import literal


@dataclass(frozen=True)
class StepTiming:
    """One step of a rehearsal, how many seconds it took, and what it found."""

    step: str
    seconds: float
    found: str = ""


@dataclass(frozen=True)
class Load:
    """Requests through the rehearsal's switch: how many, how many failed, and their 95th percentile in seconds."""

    requests: int
    failed: int
    latency: float


def summarise_load(answers: Sequence[tuple[bool, float]]) -> Load:
    """Sum up responses, each as (whether it succeeded, seconds)."""
    times = sorted(seconds for _, seconds in answers)
    latency = times[min(len(times) - 1, int(len(times) * 0.95))] if times else 0.0
    return Load(len(answers), sum(not well for well, _ in answers), latency)


@dataclass(frozen=True)
class Rehearsed:
    """The report of one rehearsal.

    Args:
        skipped: why it did not begin; nothing was created then.
        left: what could not be removed at DigitalOcean afterwards.
    """

    stack: str
    release: str
    stability: Stability
    skipped: str = ""
    took: tuple[StepTiming, ...] = ()
    load: Load | None = None
    costs: tuple[Cost, ...] = ()
    hours: float = 0.0
    deviations: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def cost(self) -> float:
        """What it cost in US dollars: hours begun are billed whole."""
        hours = max(1.0, float(-(-self.hours // 1)))
        return sum(cost.hourly for cost in self.costs) * hours

    @property
    def sentence(self) -> str:
        """The report in one sentence."""
        if self.skipped:
            return f"No rehearsal of {self.stack}: {self.skipped}."
        total = sum(took.seconds for took in self.took)
        worse = f"{len(self.deviations)} deviations" if self.deviations else "no deviation"
        return f"Rehearsed {self.stack} {self.release} in {total:.0f} s for ${self.cost:.2f}: {worse}."

    def markdown(self) -> str:
        """The report as a Markdown page."""
        lines = [f"# {self.sentence}", "", f"Before it: {self.stability.sentence}.", ""]
        if self.took:
            lines += ["| step | seconds | found |", "| --- | --- | --- |"]
            lines += [f"| {t.step} | {t.seconds:.1f} | {literal(t.found)} |" for t in self.took]
            lines.append("")
        if self.load:
            load = self.load
            lines += [
                f"Load: {load.requests} requests, {load.failed} failed, 95th percentile {load.latency:.3f} s.",
                "",
            ]
        lines += [f"- {cost}" for cost in self.costs]
        lines += ["", *(f"- Deviation: {literal(words, cell=False)}" for words in self.deviations)]
        lines += [f"- Left at DigitalOcean: {literal(words, cell=False)}" for words in self.left] or [
            "Nothing of it is left at DigitalOcean."
        ]
        return "\n".join(lines) + "\n"

    def as_json(self) -> dict[str, Any]:
        """The report as JSON."""
        return {**asdict(self), "cost": self.cost, "sentence": self.sentence}
