"""Long commands on the build host: what they are given of our own environment, and how they end."""

import os

import pytest
from prefect.logging.loggers import disable_run_logger

from flows.tasks.build_host import TIMED_OUT, own_environment
from flows.tasks.release.live_commands import stream

pytestmark = pytest.mark.unit


def streamed(commands: list[list[str]], env: dict[str, str] | None = None, timeout: float = 30.0):
    with disable_run_logger():
        return stream(commands, env or {}, timeout)


@pytest.mark.parametrize("count", [1, 2])
def test_a_build_sees_nothing_of_the_workers_environment(monkeypatch, count):
    for name in ("PREFECT_API_AUTH_STRING", "AWS_SECRET_ACCESS_KEY", "LD_PRELOAD_OF_OURS", "BASH_FUNC_x%%"):
        monkeypatch.setenv(name, "s3cr3t")
    monkeypatch.setenv("DOCKER_HOST", "tcp://elsewhere")
    code, lines = streamed([["env"]] * count, {"SLIPWAY_BUILD_SECRET_0": "given", "DOCKER_CONFIG": "/login"})
    assert code == 0
    seen = dict(line.partition("=")[::2] for line in lines)
    assert {name: seen.pop(name) for name in ("SLIPWAY_BUILD_SECRET_0", "DOCKER_CONFIG")} == {
        "SLIPWAY_BUILD_SECRET_0": "given",
        "DOCKER_CONFIG": "/login",
    }
    shell = {"SHLVL", "PWD", "OLDPWD", "_"}
    assert set(seen) - shell <= set(own_environment({}))
    assert seen["DOCKER_HOST"] == "tcp://elsewhere"
    assert os.environ["PREFECT_API_AUTH_STRING"] == "s3cr3t"


def test_the_first_failure_is_the_exit_code(monkeypatch):
    assert streamed([["sh", "-c", "echo 'a b'; exit 3"]]) == (3, ["a b"])
    assert streamed([["true"], ["false"]])[0] == 1


def test_a_command_that_does_not_end_is_ended():
    assert streamed([["sleep", "60"]], timeout=1)[0] == TIMED_OUT
