"""`slipway server`: the control plane on this machine, as services that are kept running."""

import json
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.app import SET_UP, app
from flows.cli.terminal.console import tell
from flows.cli.terminal.destination import CommandGroup
from flows.cli.terminal.options import VerboseOption
from flows.cli.terminal.runner import run_callable, run_without_prefect

server_app = CommandGroup(no_args_is_help=True, help="The control plane on this machine: Prefect server and worker.")
app.add_typer(server_app, name="server", rich_help_panel=SET_UP)

DirectoryOption = Annotated[
    Path | None,
    typer.Option("--directory", metavar="PATH", help="Its database and logs; default: slipway in XDG_DATA_HOME."),
]


@server_app.command("up")
def slipway_server_up(
    directory: DirectoryOption = None,
    repository: Annotated[
        Path | None,
        typer.Option("--repository", metavar="PATH", help="Where runs work; default: here, and from then on there."),
    ] = None,
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="It listens there; default: 127.0.0.1.")] = "",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Its port; default: 4200.")] = 0,
    verbose: VerboseOption = False,
) -> None:
    """Start Prefect server and worker, closed by a login, with block types, work pool and deployments.

    Again: changes only what is not so already, and says so. docs/CONTROL_PLANE.md.
    """

    def work() -> None:
        from flows.tasks.control.control_plane import default_directory, start_control_plane

        start_control_plane(tell, directory or default_directory(), repository, host, port)

    run_callable(work, verbose=verbose, quiet=True)


@server_app.command("compose")
def slipway_server_compose(
    directory: Annotated[Path, typer.Argument(metavar="DIRECTORY", help="For its files; made where it is missing.")],
    host: Annotated[str, typer.Option("--host", metavar="NAME", help="Name by which it is reached.")] = "",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Where it speaks TLS.")] = 443,
    address: Annotated[str, typer.Option("--address", metavar="IP", help="It listens there.")] = "0.0.0.0",  # noqa: S104 — for others
    tls: Annotated[
        str, typer.Option("--tls", metavar="internal|MAIL", help="A mail address: public certificates for the name.")
    ] = "internal",
    repository: Annotated[
        Path | None, typer.Option("--repository", metavar="PATH", help="Where runs work; default: here.")
    ] = None,
    image: Annotated[
        str, typer.Option("--image", metavar="IMAGE", help="What `make worker-image` built.")
    ] = "slipway-worker:latest",
) -> None:
    """Write the files of a control plane for a team: PostgreSQL, Redis, two API servers, TLS, two workers.

    With settings that are there: only the Compose file, as this version has it. docs/CONTROL_PLANE.md.
    """

    def work() -> list[str]:
        from flows.core.control.team import TeamPlane
        from flows.tasks.control.team import write_team_plane

        stack = str((repository or Path.cwd()).expanduser().resolve())
        plane = TeamPlane(host, stack, port, tls, address, image) if host else None
        told = write_team_plane(directory.expanduser().resolve(), plane) or ["Nothing to change."]
        return [*told, f"Its API is going to be {plane.api}"] if plane else told

    for sentence in run_without_prefect(work, settings=False):
        tell(sentence)
    tell(f"Start it:  docker compose --project-directory {directory} up --detach --wait")
    tell(f"Its login: grep SLIPWAY_LOGIN {directory}/.env")


@server_app.command("register")
def slipway_server_register(
    repository: Annotated[
        Path | None,
        typer.Option("--repository", metavar="PATH", help="Where runs work, on the workers; default: here."),
    ] = None,
) -> None:
    """Register block types, work pool and deployments with the Prefect server that is configured here."""

    def work() -> None:
        from flows.api.connection import find_connection
        from flows.tasks.control.registration import register_all

        told: list[str] = []
        register_all(told.append, (repository or Path.cwd()).resolve(), find_connection())
        for sentence in told or ["Nothing to change."]:
            tell(sentence)

    run_callable(work, quiet=True)


@server_app.command("down")
def slipway_server_down(directory: DirectoryOption = None) -> None:
    """Stop both; database, login and deployments stay."""

    def work() -> None:
        from flows.tasks.control.control_plane import default_directory, stop_control_plane

        stop_control_plane(tell, directory or default_directory())

    run_callable(work, quiet=True)


@server_app.command("status")
def slipway_server_status(
    directory: DirectoryOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Say what of it runs. Exit code 1 where something does not."""

    def work() -> dict[str, object]:
        from flows.tasks.control.control_plane import default_directory, look_at_control_plane

        return look_at_control_plane(directory or default_directory())

    seen = run_callable(work, quiet=True)
    if as_json:
        print(json.dumps(seen, indent=2))
    else:
        for line in _lines(seen):
            tell(line)
    if not seen["well"]:
        raise typer.Exit(1)


def _lines(seen: dict[str, object]) -> list[str]:
    if not seen["known"]:
        return [f"There is no control plane in {seen['directory']}. Start one: slipway server up"]
    services = seen["services"]
    assert isinstance(services, dict)
    workers = seen["workers"]
    assert isinstance(workers, list)
    return [
        *(f"{name}: {'runs' if runs else 'does not run'}" for name, runs in services.items()),
        f"API {seen['api']}: {'healthy' if seen['healthy'] else 'does not answer'}",
        f"deployments: {seen['deployments']}",
        f"workers online: {', '.join(workers) or 'none'}",
    ]
