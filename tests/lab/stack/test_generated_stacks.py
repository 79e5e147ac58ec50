"""Stacks that nobody wrote: Compose in their checkout, the build host and a droplet read every one of them alike."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.support.generated.reading import read_all
from tests.support.generated.stacks import GeneratedStack, stacks
from tests.support.judge.report import DIRECTORY

pytestmark = pytest.mark.lab
import os

MANY = int(os.environ.get("MANY", 300))


def drawn(number: int) -> list[GeneratedStack]:
    """The same stacks each time."""
    found: list[GeneratedStack] = []
    whatever = {"database": None, "derandomize": True, "deadline": None, "suppress_health_check": list(HealthCheck)}

    @settings(max_examples=number, phases=[Phase.generate], **whatever)  # type: ignore[arg-type]
    @given(stacks())
    def collect(stack: GeneratedStack) -> None:
        found.append(stack)

    collect()
    return found


def test_generated_stacks_are_read_alike_by_compose_the_build_host_and_a_droplet(tmp_path: Path) -> None:
    readings = read_all(drawn(MANY), tmp_path, "green")
    wrong = [reading for reading in readings if reading.wrong]
    DIRECTORY.mkdir(exist_ok=True)
    lines = [f"{len(readings)} generated stacks, {len(wrong)} of them read in two ways."]
    for reading in wrong:
        lines += ["", f"## {reading.checkout.parents[1].name}", "", *reading.wrong]
        lines += [
            f"--- {path}\n{text}" for path, text in reading.stack.files.items() if "yaml" in path or "env" in path
        ]
    (DIRECTORY / "generated.md").write_text("\n".join(lines) + "\n")
    assert len(readings) >= MANY
    assert sum(reading.plain is not None for reading in readings) > 0.9 * MANY
    assert sum(reading.staged is not None for reading in readings) > 0.8 * MANY
    assert {reading.checkout.parents[1].name: reading.wrong[:5] for reading in wrong} == {}
