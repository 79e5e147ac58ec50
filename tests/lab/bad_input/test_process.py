"""What a shell sees of a refusal: the exit code, one error on standard error, nothing of a stack trace anywhere."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests import CHECKOUT
from tests.stacks.invalid_input import FAILED, REFUSED, STACK, InvalidInputCase, open_invalid_input_case

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InvalidInputCase]:
    with open_invalid_input_case(tmp_path_factory.mktemp("bad")) as case:
        yield case


def test_a_refusal_is_exit_2_and_one_error(case: InvalidInputCase) -> None:
    with case.untouched():
        answer = _slipway(case, "deploy", "--stack", STACK, "--tag", "never")
    assert answer.returncode == REFUSED
    assert answer.stderr.splitlines() == [
        f"✗ ReleaseNotFound: no release never of stack bad-input in registry {case.registry.host}. "
        "Build and push it first: slipway build-push --tag never"
    ]
    assert "Traceback" not in answer.stdout


def test_a_failed_build_is_exit_1_and_its_own_last_words(case: InvalidInputCase) -> None:
    stack = case.stack("failing", {"Dockerfile": "FROM debian:trixie-slim\nRUN echo 'no such wheel' >&2; exit 3\n"})
    with case.untouched():
        answer = _slipway(case, "release", "--stack", str(stack))
    assert answer.returncode == FAILED
    assert answer.stderr.startswith("✗ BuildFailed: `docker compose build` ended with exit 17:\n")
    assert answer.stderr.count("✗") == 1
    assert "no such wheel" in answer.stderr
    assert "Traceback" not in answer.stdout + answer.stderr


def test_a_setting_that_does_not_fit_is_exit_2_and_names_the_setting(case: InvalidInputCase) -> None:
    with case.untouched():
        answer = _slipway(case, "deploy", "--stack", STACK, "--tag", "v1", SLIPWAY_STRATEGY="gently")
    assert answer.returncode == REFUSED
    assert answer.stderr.count("✗") == 1
    assert "strategy: Input should be 'rolling', 'prefetch' or 'recreate'" in answer.stderr
    assert "docs/SETTINGS.md" in answer.stderr
    assert "Traceback" not in answer.stdout + answer.stderr


def _slipway(case: InvalidInputCase, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT), **case.settings, **more}
    argv = [sys.executable, "-m", "flows.cli", *words]
    return subprocess.run(argv, cwd=CHECKOUT, env=env, capture_output=True, text=True, timeout=120, check=False)
