"""What the checks of `make lint` leave out has a reason beside it; the sample's images have a user."""

import re
import subprocess

import pytest

from tests import CHECKOUT

pytestmark = pytest.mark.unit

TRACKED = subprocess.run(["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout.split()
DOCKERFILES = [name for name in TRACKED if name.endswith("Dockerfile")]


def test_what_is_left_out_of_the_security_rules_has_a_reason():
    left_out = [
        f"{name}: {line.strip()}"
        for name in TRACKED
        if name.endswith(".py")
        for line in (CHECKOUT / name).read_text().splitlines()
        if re.search(r"# noqa: S\d", line)
    ]
    assert len(left_out) > 5
    assert [line for line in left_out if not re.search(r"# noqa: S\d+(, ?\w+\d+)* +(— )?\w+", line)] == []


@pytest.mark.parametrize("path", [".hadolint.yaml", *DOCKERFILES])
def test_what_is_left_out_of_hadolint_has_a_reason(path):
    lines = (CHECKOUT / path).read_text().splitlines()
    for before, line in zip(["", *lines], lines, strict=False):
        if re.match(r"\s*- DL|# hadolint ignore", line):
            assert before.strip().startswith("# "), line


def test_the_sample_agents_do_not_run_as_root():
    users = re.findall(r"^USER (.+)", (CHECKOUT / "compose/agents/Dockerfile").read_text(), re.MULTILINE)
    assert users == ["agent"]
