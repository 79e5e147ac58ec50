"""`make down` chooses the lab's things on the real engine, and passes by whatever stands beside them."""

import pytest

from tests import CHECKOUT
from tests.support.lab.lab import run

pytestmark = pytest.mark.lab
PARTS = ("registry", "green", "blue", "data", "edge", "prometheus", "langfuse")


def chosen() -> set[str]:
    return set(run(CHECKOUT / "compose" / "lab" / "down.sh", "list").splitlines())


def test_every_part_of_the_lab_is_chosen(lab):
    found = chosen()
    assert {f"container {lab.name}-{part}" for part in PARTS} <= found
    assert f"network {lab.name}" in found
    assert {
        f"volume {lab.name}_{volume}" for volume in ("registry", "green-engine", "data-home", "edge-state", "edge-keys")
    } <= found


def test_what_carries_one_of_the_labels_or_none_is_passed_by(lab, unique):
    project = f"com.docker.compose.project={lab.name}"
    made = {
        f"{unique}-plain": (),
        f"{unique}-project": ("--label", project),
        f"{unique}-label": ("--label", "dev.slipway.lab=true"),
    }
    try:
        for name, labels in made.items():
            lab.docker("volume", "create", *labels, name)
            lab.docker("create", "--name", name, *labels, "debian:trixie-slim", "true")
        before = chosen()
        assert not {line for line in before if unique in line}
    finally:
        for name in made:
            lab.docker("rm", "-f", name, check=False)
            lab.docker("volume", "rm", name, check=False)
