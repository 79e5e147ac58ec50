"""Runs a flow or a callable in this process for a command: its progress, its errors, its exit code."""

import atexit
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from importlib import import_module
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import typer
from rich.console import Console

from flows.cli.terminal.console import CleanConsole, SummaryConsole, show_error
from flows.cli.terminal.destination import asked_destination, in_its_settings
from flows.cli.terminal.handover import hand_over, worker_wanted
from flows.cli.terminal.server import api_url, prefect_settings

if TYPE_CHECKING:
    from flows.cli.terminal.progress import Progress

T = TypeVar("T")


class _Server:
    gone = False


_server = _Server()
INTERRUPTED = 130
BUG = 70
BUSY_TIMEOUT_S = 20.0


def run_flow(
    flow: str, *, verbose: bool = False, quiet: bool = False, asks: bool = False, confirms: bool | None = None,
    **keywords: Any,
) -> Any:  # fmt: skip
    """Run a flow in this process and return its result; or hand it to a worker, and end as it ended.

    Args:
        flow: `module:name`, imported only now, for it brings Prefect with it.
        verbose: show every line of the run's log.
        quiet: show no progress.
        asks, confirms: whether a person may be asked before the first change, and is; None: as a setting says.
        keywords: the flow's parameters.

    Raises:
        typer.Exit: as `run_callable` does.
    """

    to = {"destination": asked_destination()} if asked_destination() else {}
    if worker_wanted():
        run_without_prefect(lambda: hand_over(flow, {**keywords, **to}, verbose=verbose))

    def call() -> Any:
        module, _, name = flow.partition(":")
        return getattr(import_module(module), name)(**keywords, **to)

    return run_callable(call, verbose=verbose, quiet=quiet, asks=asks, confirms=confirms)


def run_callable(
    work: Callable[[], T], *, verbose: bool = False, quiet: bool = False, asks: bool = False,
    confirms: bool | None = None,
) -> T:  # fmt: skip
    """Do the work as a flow is done: its progress, its errors, its exit code. Returns its result.

    Raises:
        typer.Exit: with the exit code of what went wrong, after it was shown as one error without a stack trace.
    """
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")  # the terminal is ours
    os.environ.setdefault("PREFECT_INTERNAL_LOGGING_LEVEL", "CRITICAL")
    import prefect.main  # noqa: F401 — it sets logging up anew, and would take the progress away

    from blocks.errors import OutsideError
    from flows.cli.terminal.progress import Progress
    from flows.core.errors import SlipwayError
    from flows.tasks.runs.context import Asking, extended_context

    errors = CleanConsole(stderr=True, highlight=False, soft_wrap=True)
    progress = Progress(SummaryConsole(quiet=quiet), verbose)
    asking = Asking(progress.ask, confirms) if asks and _somebody_is_there() else None
    if asks and confirms and asking is None:
        errors.print("[yellow]Nobody is asked: this is no terminal.[/yellow]")
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with prefect_settings(), progress.shown(), extended_context(asking=asking):
            return _patiently(in_its_settings(work), progress)
    except (SlipwayError, OutsideError) as error:
        show_error(errors, error)
        raise typer.Exit(error.exit_code) from None
    except (KeyboardInterrupt, SystemExit):
        errors.print("[yellow]Interrupted.[/yellow] Running the same command again finishes or repeats the work.")
        raise typer.Exit(INTERRUPTED) from None
    except (typer.Exit, typer.BadParameter):
        raise
    except Exception as error:
        raise typer.Exit(_unexpected(errors, error, verbose, progress.begun)) from None


def run_without_prefect(work: Callable[[], T], *, settings: bool = True) -> T:
    """Do work that only looks: its errors and its exit code are those of a flow, and it waits for no import.

    Args:
        settings: whether it reads settings; without them fewer packages are needed.

    Raises:
        typer.Exit: as `run_callable` does.
    """
    from blocks.errors import OutsideError
    from flows.core.errors import SlipwayError

    errors = CleanConsole(stderr=True, highlight=False, soft_wrap=True)
    try:
        return (in_its_settings(work) if settings else work)()
    except (SlipwayError, OutsideError) as error:
        show_error(errors, error)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        errors.print("[yellow]Interrupted.[/yellow]")
        raise typer.Exit(INTERRUPTED) from None
    except (typer.Exit, typer.BadParameter):
        raise
    except Exception as error:
        raise typer.Exit(_unexpected(errors, error, verbose=False, begun=False)) from None


def _somebody_is_there() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and not os.environ.get("CI")


def _patiently(work: Callable[[], T], progress: "Progress") -> T:
    """Do the work; begin once more when a server that is there was too busy to let it begin."""
    import httpx

    try:
        return work()
    except Exception as error:
        if progress.begun or _is_refused(error) or not _is_unanswered(error):
            raise
        try:
            httpx.get(f"{api_url()}/health", timeout=BUSY_TIMEOUT_S, trust_env=False).raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL):
            raise error from None
    return work()


def _is_unanswered(error: Exception) -> bool:
    import httpx

    text = str(error)
    return isinstance(error, httpx.HTTPError) or "Failed to reach API" in text or "Can't connect to Server API" in text


def _is_refused(error: Exception) -> bool:
    import httpx

    return isinstance(error, httpx.HTTPStatusError) and error.response.status_code == httpx.codes.UNAUTHORIZED


def leave(code: int) -> NoReturn:
    """End the process as the interpreter does (threads joined, so Prefect's logs and events are sent; exit handlers
    run; streams flushed), but without taking every object apart, which takes half a second once Prefect is imported.

    Where the server went away, Prefect would wait two minutes for it to take the last of the log.
    """
    if not _server.gone:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _unexpected(errors: Console, error: Exception, verbose: bool, begun: bool) -> int:
    """Say what a setting, a refused login or an unreachable server is about; anything else is a bug of ours, and named
    so."""
    import tomllib

    import pydantic
    import pydantic_settings

    from blocks.errors import LoginRefused
    from flows.core.errors import BadSettings, SlipwayError

    if isinstance(error, (tomllib.TOMLDecodeError, pydantic_settings.SettingsError, UnicodeDecodeError)):
        show_error(errors, BadSettings(f"the settings cannot be read: {error}. The settings: docs/SETTINGS.md"))
        return 2
    if isinstance(error, pydantic.ValidationError):
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False))
        show_error(errors, BadSettings(f"bad setting or parameter: {faults}. The settings: docs/SETTINGS.md"))
        return 2
    if _is_refused(error):
        _server.gone = True  # it takes no log from us
        show_error(errors, LoginRefused(
            f"the Prefect API at {api_url()} refuses our login; set PREFECT_API_AUTH_STRING to NAME:PASSWORD, in the "
            "environment or in the Prefect profile (the lab's `.slipway/bin/slipway` has it)"
        ))  # fmt: skip
        return 1 if begun else 2
    if _is_unanswered(error):
        _server.gone = True
        if begun:
            show_error(errors, ConnectionError(
                f"the Prefect server at {api_url()} went away during the run, which went on without it. What became of "
                "it: slipway history. If it was left half way: slipway reconcile"
            ))  # fmt: skip
            return 1
        show_error(errors, ConnectionError(
            f"the Prefect server at {api_url()} does not answer. Start it (`slipway server up`; for the lab "
            "`make lab`), or set PREFECT_API_URL"
        ))  # fmt: skip
        return 2
    if verbose:
        errors.print(SlipwayError.shown("".join(traceback.format_exception(error))), markup=False, soft_wrap=True)
    show_error(errors, error)
    errors.print("This is not an error Slipway knows. Please report it, with what --verbose prints.")
    return BUG


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
