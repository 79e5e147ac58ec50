"""Stacks that nobody wrote: Compose in their checkout, the build host and a droplet read every one of them alike."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.support.generated.drawn import drawn
from tests.support.generated.reading import Reading, read_all
from tests.support.generated.stacks import stacks
from tests.support.judge.extent import READ
from tests.support.judge.report import READINGS, Readings

pytestmark = pytest.mark.lab


def test_generated_stacks_are_read_alike_by_compose_the_build_host_and_a_droplet(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    readings = read_all(drawn(stacks(), READ), tmp_path, "green")
    wrong = [reading for reading in readings if reading.wrong]
    refused = sum(bool(reading.refused) for reading in readings)
    record_property(READINGS, asdict(Readings(len(readings), refused, list(map(_told, wrong)))))
    assert len(readings) >= READ
    assert sum(reading.plain is not None for reading in readings) > 0.9 * READ
    assert sum(reading.staged is not None for reading in readings) > 0.8 * READ
    assert {reading.number: reading.wrong[:5] for reading in wrong} == {}


def _told(reading: Reading) -> str:
    """What is wrong, and what was read."""
    files = [f"--- {path}\n{text}" for path, text in reading.stack.files.items() if "yaml" in path or "env" in path]
    return "\n".join([f"generated stack {reading.number}", *reading.wrong, *files])
