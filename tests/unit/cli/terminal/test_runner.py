"""The `slipway` command: help that is quick, input that is refused, exit codes that mean something."""

import importlib
import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import httpx
import pydantic
import pytest
import typer
from http_server import Says, serving
from typer.testing import CliRunner

from blocks import errors as outside
from flows.cli import main as cli
from flows.cli.terminal import options
from flows.cli.terminal import runner as running
from flows.core import errors as inside
from flows.settings import Settings

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
FLOWS = ("release", "build-push", "deploy", "validate", "status")
UPKEEP = ("rollback", "reconcile", "history", "prune", "system-prune", "debug-agent")
TRAFFIC = ("promote", "plan", "gates", "approve", "watch", "switch-back", "deploy-home")
SET_UP = ("check", "droplet", "registry", "environment", "langfuse", "prometheus", "switch")
INSIDE_THEM = (
    *("droplet add", "droplet pin", "registry set", "environment set", "langfuse set", "prometheus set"),
    "switch add",
)


def said(*words: str):
    return CliRunner(env={"COLUMNS": "120", "TERM": "dumb"}).invoke(cli.app, list(words))


@pytest.fixture(autouse=True)
def signals_as_they_were(monkeypatch):
    monkeypatch.setenv("DO_NOT_TRACK", "1")
    monkeypatch.setenv("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


@pytest.mark.parametrize("command", [*FLOWS, *UPKEEP, *TRAFFIC, *SET_UP, *INSIDE_THEM])
def test_every_command_says_what_it_does(command):
    answer = said(*command.split(), "--help")
    assert answer.exit_code == 0
    described = [line for line in answer.output.splitlines() if line.strip() and "Usage" not in line]
    assert described[0].strip()[0].isupper()
    assert "Usage: " in answer.output


def test_all_commands_are_listed_with_a_sentence_and_the_exit_codes():
    help_text = said("--help").output
    for name in (*FLOWS, *UPKEEP, *TRAFFIC, *SET_UP):
        assert f" {name} " in help_text
    codes = "0 done · 1 it failed · 2 refused, nothing was changed · 3 a person said no, or nobody answered"
    assert f"{codes} · 130 interrupted." in " ".join(help_text.split())


def test_the_entry_point_stands_in_the_package():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    module, function = scripts["slipway"].split(":")
    assert getattr(importlib.import_module(module), function) is cli.main


def test_help_waits_for_nothing_heavy():
    code = (
        "import sys; from flows.cli import app\n"
        "try: app(['deploy', '--help'])\n"
        "finally: print(sorted({'prefect', 'paramiko', 'httpx', 'blocks'} & set(sys.modules)), file=sys.stderr)"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    answer = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert "--strategy" in answer.stdout
    assert answer.stderr.strip() == "[]"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["deploy", "--tag", "v1", "--strategy", "quick"], "quick is none of rolling, prefetch, recreate"),
        (["release", "--strategy", ""], "is none of rolling, prefetch, recreate"),
        (["deploy"], "Missing option '--tag'"),
        (["relase"], "No such command 'relase'"),
        (["validate", "--tag", "v1"], "No such option"),
        (["droplet", "add", "green", "--host", "h", "--key-file", "/none"], "does not exist"),
    ],
)
def test_input_that_cannot_be_meant_is_refused_with_2(words, complaint):
    answer = said(*words)
    assert answer.exit_code == 2
    assert complaint in " ".join(answer.output.replace("│", " ").split())
    assert "Traceback" not in answer.output


@pytest.mark.parametrize(
    ("text", "names"), [("a,b", ["a", "b"]), (" a , ,b ", ["a", "b"]), ("a", ["a"]), ("", None), (None, None)]
)
def test_services_are_split_at_commas(text, names):
    assert options.split(text) == names


def failing(error: BaseException):
    def work():
        raise error

    return work


def bad_setting() -> pydantic.ValidationError:
    class Model(pydantic.BaseModel):
        log_lines: int

    with pytest.raises(pydantic.ValidationError) as error:
        Model(log_lines="x")
    return error.value


CODES = {
    "refused": (inside.DropletNotReady("droplet green: full"), 2, "✗ DropletNotReady: droplet green: full"),
    "failed": (inside.BuildFailed("it broke"), 1, "✗ BuildFailed: it broke"),
    "not approved": (inside.NotApproved("carl said no"), 3, "✗ NotApproved: carl said no"),
    "unreachable": (outside.Unreachable("no route"), 2, "✗ Unreachable: no route"),
    "remote": (outside.RemoteFailed("exit 3", 3, "words"), 1, "✗ RemoteFailed: exit 3"),
    "interrupted": (KeyboardInterrupt(), 130, "Interrupted."),
    "a bad setting": (bad_setting(), 2, "bad setting or parameter: log_lines: Input should be a valid integer"),
    "no server": (httpx.ConnectError("refused"), 2, "the Prefect server at http"),
    "no server, in Prefect's words": (RuntimeError("Failed to reach API at http://x"), 2, "does not answer. Start it"),
    "a bug": (ZeroDivisionError("by zero"), 70, "✗ ZeroDivisionError: by zero"),
    "an exit": (typer.Exit(5), 5, ""),
}


@pytest.mark.parametrize(("error", "code", "words"), CODES.values(), ids=CODES)
def test_an_error_is_one_line_and_an_exit_code(error, code, words, capsys):
    with pytest.raises(typer.Exit) as ended:
        running.run_flow(failing(error), verbose=False)
    shown = capsys.readouterr()
    assert ended.value.exit_code == code
    assert words in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""


@pytest.mark.parametrize(("status", "code", "times"), [(200, 0, 2), (503, 2, 1)], ids=["busy", "gone"])
def test_a_server_that_was_only_too_busy_is_asked_once_more(status, code, times, monkeypatch):
    tried = []

    def work():
        tried.append(1)
        if len(tried) == 1:
            raise httpx.ReadTimeout("no answer")

    with serving(lambda _: Says(status)) as server:
        monkeypatch.setattr(running, "api_url", lambda: server.url)
        seen = 0
        try:
            running.run_flow(work, verbose=False)
        except typer.Exit as ended:
            seen = ended.exit_code
    assert (seen, len(tried), server.asked[0].path) == (code, times, "/health")


@pytest.mark.parametrize("name", ["slipway.toml", ".env"])
def test_a_settings_file_that_cannot_be_read_is_refused(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text({"slipway.toml": "droplet = green\n", ".env": "SLIPWAY_DROPLETS=green,blue\n"}[name])
    with pytest.raises(typer.Exit) as ended:
        running.run_flow(Settings, verbose=False)
    assert ended.value.exit_code == 2


def test_a_bug_shows_its_trace_when_it_is_asked_for(capsys):
    with pytest.raises(typer.Exit):
        running.run_flow(failing(ZeroDivisionError("by zero")), verbose=True)
    assert "Traceback" in capsys.readouterr().err


RUN = """
from flows import running
def work():
    from flows.release import release  # Prefect is imported here at the latest
    import logging
    logging.getLogger("prefect.flow_runs").info("a line of the run")
running.run_flow(work, verbose=True)
"""


def test_the_log_of_a_run_is_shown_in_a_process_that_has_not_imported_prefect_yet(tmp_path):
    own = {**os.environ, "PREFECT_HOME": str(tmp_path), "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore"}
    done = subprocess.run([sys.executable, "-c", RUN], capture_output=True, text=True, env=own, cwd=ROOT, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "a line of the run"), done.stderr


def test_a_result_is_passed_on():
    assert running.run_flow(lambda: 7, verbose=False) == 7


def test_a_request_to_end_is_an_interruption(capsys):
    with pytest.raises(typer.Exit) as ended:
        running.run_flow(lambda: signal.raise_signal(signal.SIGTERM), verbose=False)
    assert ended.value.exit_code == running.INTERRUPTED


def all_errors(module) -> list[type[Exception]]:
    return [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, Exception)]


@pytest.mark.parametrize("kind", [*all_errors(inside), *all_errors(outside)])
def test_what_was_refused_before_anything_changed_ends_with_2_a_persons_no_with_3_and_all_else_with_1(kind):
    early = (inside.Refused, outside.Unreachable, outside.LoginRefused, outside.HostKeyRefused, outside.NotInRegistry,
             outside.NotAtDigitalOcean, outside.RegistryFull)  # fmt: skip
    asked = issubclass(kind, inside.NotApproved)
    assert kind.exit_code == (3 if asked else 2 if issubclass(kind, early) else 1)
