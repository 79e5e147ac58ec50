"""Where a run can be interrupted: before each of its steps and after the last one, as the lists of steps have it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flows.core.steps import DEPLOY, ROLLBACK, Step


@dataclass(frozen=True)
class Point:
    """A point of a run.

    Args:
        steps: the steps of the run.
        index: so many of them are done.
    """

    steps: Sequence[Step]
    index: int

    @property
    def fault(self) -> dict[str, Any]:
        """The fields of a Fault that say where. What comes after a step comes before the next one."""
        when, at = ("before", self.index) if self.index < len(self.steps) else ("after", self.index - 1)
        return {"when": when, "step": self.steps[at].value, "nth": self.steps[: at + 1].count(self.steps[at])}

    @property
    def done(self) -> bool:
        """Whether all steps are."""
        return self.index == len(self.steps)

    def passed(self, step: Step) -> bool:
        """Whether this step (at its first time) is done."""
        return self.index > self.steps.index(step)

    def __str__(self) -> str:
        fault = self.fault
        times = f" ({fault['nth']})" if fault["nth"] > 1 else ""
        return f"{fault['when']} {fault['step']}{times}"


def points(steps: Sequence[Step]) -> list[Point]:
    """Every point of a run that takes these steps."""
    return [Point(steps, index) for index in range(len(steps) + 1)]


DEPLOY_POINTS, ROLLBACK_POINTS = points(DEPLOY), points(ROLLBACK)
