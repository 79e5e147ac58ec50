"""What a fork of the template does: become the process that `python -m module` would have been."""

import atexit
import importlib
import os
import runpy
import signal
import site
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

import prefect.context
from prefect.logging import configuration
from prefect.settings import get_current_settings
from prefect.settings.models.logging import LoggingSettings

from flows.worker.code_state import CUSTOMIZED, customization, search_path
from flows.worker.imported import Imported
from flows.worker.protocol import StartRequest

_DEFAULT_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGINT)


class _BecomeAnother(BaseException):
    """The process wants to be replaced by another program; raised instead, to leave every block that is open."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        super().__init__()
        self.command = [str(word) for word in command]
        self.env = dict(env)


def detach() -> None:
    """Leave the template's session, and everything it does about signals."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in _DEFAULT_SIGNALS:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def run_request(request: StartRequest, imported: Imported) -> NoReturn:
    """Be `python -m module arguments…` in this environment and directory, to the end of the process."""
    os.chdir(request.cwd)
    if request.umask >= 0:
        os.umask(request.umask)
    if request.attached:
        _speak_to_terminal()
    module, arguments, env = request.module, request.arguments, request.env
    customized: tuple[str, ...] | None = None
    while True:
        path = search_path(env, os.getcwd(), imported.base_path, request.first)
        why_not = imported.why_not(path, env)
        if customized not in {None, found := tuple(customization(path))}:
            why_not = f"start-up files of its own: {found}"
        if why_not:
            print(f"This process gets a Python of its own, which takes longer. It has {why_not}.", file=sys.stderr)
            sys.stderr.flush()
            os.execve(sys.executable, [sys.executable, "-m", module, *arguments], env)  # noqa: S606 — what the fork is
        _enter(env, path)
        if customized is None:
            customized = found
            _customize()
        try:
            code = _run(module, arguments)
        except _BecomeAnother as wanted:
            module, arguments = _module_of(wanted.command)
            env = wanted.env
            if not module:
                os.execvpe(wanted.command[0], wanted.command, env)  # noqa: S606 — Prefect's own command
            continue
        _leave(code)


def _speak_to_terminal() -> None:
    """Streams anew: what each is to a terminal was decided when the template began, whose streams led elsewhere."""
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", 1 if os.isatty(1) else -1, encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _module_of(command: list[str]) -> tuple[str, list[str]]:
    """Module and arguments, where the command is this very interpreter's `-m`."""
    ours = len(command) > 2 and command[1] == "-m" and os.path.realpath(command[0]) == os.path.realpath(sys.executable)
    return (command[2], command[3:]) if ours else ("", [])


def _enter(env: Mapping[str, str], path: list[str]) -> None:
    """This environment, and what was made from the old one made anew: time zone, Prefect's settings and logging."""
    before = _logging_settings()
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    sys.path[:] = path
    prefect.context.refresh_global_settings_context()
    if _logging_settings() != before:
        configuration.PROCESS_LOGGING_CONFIG.clear()
        configuration.setup_logging(incremental=False)


def _logging_settings() -> tuple[LoggingSettings, dict[str, str]]:
    """What Prefect sets logging up by; doing it takes longer than everything else here."""
    named = {name: value for name, value in os.environ.items() if name.startswith("PREFECT_LOGGING_")}
    return get_current_settings().logging, named


def _customize() -> None:
    """What an interpreter does at its start: sitecustomize is to see this environment, not the template's."""
    for name in CUSTOMIZED[: 2 if site.ENABLE_USER_SITE else 1]:
        sys.modules.pop(name, None)
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as missing:
            if missing.name != name:
                traceback.print_exc()
        except Exception:
            traceback.print_exc()


def _run(module: str, arguments: list[str]) -> int:
    """Run the module as the main program; its exit code. A wish to be replaced by another program passes through."""
    sys.argv = [module, *arguments]
    replace, os.execvpe = os.execvpe, _instead_of_replacing  # type: ignore[assignment]
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*found in sys.modules", category=RuntimeWarning)
            runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except _BecomeAnother:
        raise
    except KeyboardInterrupt:
        traceback.print_exc()
        return -signal.SIGINT
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        os.execvpe = replace
    return 0


def _instead_of_replacing(_file: str, args: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    raise _BecomeAnother(args, env)


def _leave(code: int) -> NoReturn:
    """End as the interpreter does (threads joined, so logs and events are sent; exit handlers run; streams flushed),
    but without taking apart every object: that would copy the template's memory only to free it."""
    ends = (threading._shutdown, atexit._run_exitfuncs)  # type: ignore[attr-defined]
    for end in (*ends, sys.stdout.flush, sys.stderr.flush):
        _ended(end)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code & 0xFF)


def _ended(end: Callable[[], object]) -> None:
    try:
        end()
    except Exception:
        traceback.print_exc()
