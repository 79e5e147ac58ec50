"""Running for a command: a flow by its name, an error as one line and an exit code, a busy server asked once more."""

import os
import signal
import subprocess
import sys

import httpx
import pydantic
import pytest
import typer

from blocks import errors as outside
from flows.cli.terminal import runner
from flows.cli.terminal.runner import INTERRUPTED, run_callable, run_flow
from flows.core import errors as inside
from flows.settings import Settings
from tests import CHECKOUT
from tests.support.http_server import Says, serving

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def signals_as_they_were(monkeypatch):
    monkeypatch.setenv("DO_NOT_TRACK", "1")
    monkeypatch.setenv("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


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


ASKED = httpx.Request("GET", "http://127.0.0.1:9/api/admin/version")
REFUSED = httpx.HTTPStatusError("401", request=ASKED, response=httpx.Response(401, request=ASKED))
CODES = {
    "refused": (inside.DropletNotReady("droplet green: full"), 2, "✗ DropletNotReady: droplet green: full"),
    "failed": (inside.BuildFailed("it broke"), 1, "✗ BuildFailed: it broke"),
    "not approved": (inside.NotApproved("carl said no"), 3, "✗ NotApproved: carl said no"),
    "unreachable": (outside.Unreachable("no route"), 2, "✗ Unreachable: no route"),
    "remote": (outside.RemoteFailed("exit 3", 3, "words"), 1, "✗ RemoteFailed: exit 3"),
    "interrupted": (KeyboardInterrupt(), 130, "Interrupted."),
    "a bad setting": (bad_setting(), 2, "bad setting or parameter: log_lines: Input should be a valid integer"),
    "a refused login": (REFUSED, 2, "refuses our login; set PREFECT_API_AUTH_STRING"),
    "no server": (httpx.ConnectError("refused"), 2, "the Prefect server at http"),
    "no server, in Prefect's words": (RuntimeError("Failed to reach API at http://x"), 2, "does not answer. Start it"),
    "a bug": (ZeroDivisionError("by zero"), 70, "✗ ZeroDivisionError: by zero"),
    "an exit": (typer.Exit(5), 5, ""),
}


@pytest.mark.parametrize(("error", "code", "words"), CODES.values(), ids=CODES)
def test_an_error_is_one_line_and_an_exit_code(error, code, words, capsys):
    with pytest.raises(typer.Exit) as ended:
        run_callable(failing(error))
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
        monkeypatch.setattr(runner, "api_url", lambda: server.url)
        seen = 0
        try:
            run_callable(work)
        except typer.Exit as ended:
            seen = ended.exit_code
    assert (seen, len(tried), server.asked[0].path) == (code, times, "/health")


@pytest.mark.parametrize("name", ["slipway.toml", ".env"])
def test_a_settings_file_that_cannot_be_read_is_refused(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text({"slipway.toml": "droplet = green\n", ".env": "SLIPWAY_DROPLETS=green,blue\n"}[name])
    with pytest.raises(typer.Exit) as ended:
        run_callable(Settings)
    assert ended.value.exit_code == 2
    assert "BadSettings" in capsys.readouterr().err


def test_a_bug_shows_its_trace_when_it_is_asked_for(capsys):
    with pytest.raises(typer.Exit):
        run_callable(failing(ZeroDivisionError("by zero")), verbose=True)
    assert "Traceback" in capsys.readouterr().err


def test_a_traceback_shows_no_secret(capsys, monkeypatch):
    monkeypatch.setattr(inside.SlipwayError, "shown", staticmethod(lambda text: text.replace("hunter2", "••••")))
    with pytest.raises(typer.Exit):
        run_callable(failing(KeyError("hunter2")), verbose=True)
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert "KeyError: '••••'" in told
    assert "hunter2" not in told


def test_a_flow_is_found_by_its_name_and_called_by_keyword(tmp_path, monkeypatch):
    (tmp_path / "some_flow.py").write_text("def called(*, stack, wait=0.0):\n    return stack, wait\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert run_flow("some_flow:called", stack="shop", wait=2.0) == ("shop", 2.0)


def test_a_flow_that_there_is_not_is_a_bug(capsys):
    with pytest.raises(typer.Exit) as ended:
        run_flow("flows.release:no_such_flow", quiet=True)
    assert ended.value.exit_code == runner.BUG
    assert "no_such_flow" in capsys.readouterr().err


RUN = """
from flows.cli.terminal.runner import run_callable
def work():
    import logging
    import prefect.main  # here at the latest
    logging.getLogger("prefect.flow_runs").info("a line of the run")
run_callable(work, verbose=True)
"""


def test_the_log_of_a_run_is_shown_in_a_process_that_has_not_imported_prefect_yet(tmp_path):
    own = {**os.environ, "PREFECT_HOME": str(tmp_path), "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore"}
    argv = [sys.executable, "-c", RUN]
    done = subprocess.run(argv, capture_output=True, text=True, env=own, cwd=CHECKOUT, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "a line of the run"), done.stderr


def test_a_result_is_passed_on():
    assert run_callable(lambda: 7) == 7


def test_a_request_to_end_is_an_interruption():
    with pytest.raises(typer.Exit) as ended:
        run_callable(lambda: signal.raise_signal(signal.SIGTERM))
    assert ended.value.exit_code == INTERRUPTED


def all_errors(module) -> list[type[Exception]]:
    return [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, Exception)]


@pytest.mark.parametrize("kind", [*all_errors(inside), *all_errors(outside)])
def test_what_was_refused_before_anything_changed_ends_with_2_a_persons_no_with_3_and_all_else_with_1(kind):
    early = (inside.Refused, outside.Unreachable, outside.LoginRefused, outside.HostKeyRefused, outside.NotInRegistry,
             outside.NotAtDigitalOcean, outside.RegistryFull, outside.NotEncrypted,
             outside.CertificateRefused)  # fmt: skip
    asked = issubclass(kind, inside.NotApproved | inside.DeployDeclined)
    assert kind.exit_code == (3 if asked else 2 if issubclass(kind, early) else 1)
