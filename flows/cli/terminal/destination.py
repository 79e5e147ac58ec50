"""`--destination`: every command that reads settings takes it, behind its own options or in front of its name."""

import inspect
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any, TypeVar

import typer

from flows.cli.terminal.handover import with_worker

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
DestinationOption = Annotated[
    str,
    typer.Option(
        "--destination",
        metavar="NAME",
        help="Where it goes, as the settings file calls it; default: its `destination`.",
    ),
]
# Commands that read no settings, so that a destination would mean nothing to them.
WITHOUT = frozenset({
    "slipway_check", "slipway_approve", "slipway_droplet_add", "slipway_droplet_pin", "slipway_switch_add",
    "slipway_registry_set", "slipway_langfuse_set", "slipway_prometheus_set",
    "slipway_server_up", "slipway_server_down", "slipway_server_status", "slipway_server_compose",
    "slipway_server_register", "slipway_server_export", "slipway_server_import",
})  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What the command line says of where a run goes."""

    destination: str = ""
    stack: str = ""


_NOTHING = Asked()
_asked: ContextVar[Asked] = ContextVar("slipway_asked", default=_NOTHING)


class CommandGroup(typer.Typer):
    """A Typer application whose commands take `--destination`."""

    def command(self, *names: Any, **options: Any) -> Callable[[F], F]:
        """Register a command, as Typer does; the function itself stays as it is."""
        register = super().command(*names, **options)

        def declare(function: F) -> F:
            register(_without(function) if function.__name__ in WITHOUT else _with(with_worker(function)))
            return function

        return declare


def asked_destination() -> str:
    """The destination that was named on the command line; '' for none."""
    return _asked.get().destination


def name_destination(name: str) -> None:
    """Remember the destination that stands in front of a command's name; it is anew for each command line."""
    _asked.set(Asked(name))


def in_its_settings(work: Callable[[], T]) -> Callable[[], T]:
    """The work, with settings as the command line says; afterwards it is told what there is to tell of their files."""

    def run() -> T:
        from flows.settings.choice import chosen
        from flows.settings.notices import telling_notices

        asked = _asked.get()
        with telling_notices(lambda sentence: typer.echo(sentence, err=True)), chosen(asked.destination, asked.stack):
            return work()

    return run


def _with(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def run(*args: Any, destination: str = "", **keywords: Any) -> Any:
        stack = keywords.get("stack")
        asked = Asked(destination or asked_destination(), stack if isinstance(stack, str) else "")
        token = _asked.set(asked)
        try:
            return function(*args, **keywords)
        finally:
            _asked.reset(token)

    signature = inspect.signature(function)
    option = inspect.Parameter("destination", inspect.Parameter.KEYWORD_ONLY, default="", annotation=DestinationOption)
    run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), option])  # type: ignore[attr-defined]
    run.__annotations__ = {**function.__annotations__, "destination": DestinationOption}
    return run


def _without(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def run(*args: Any, **keywords: Any) -> Any:
        if asked_destination():
            raise typer.BadParameter("this command reads no settings, so it goes nowhere: leave --destination out")
        return function(*args, **keywords)

    return run
