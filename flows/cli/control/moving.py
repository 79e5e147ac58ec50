"""`slipway server export` and `import`: what a control plane holds, carried to another one."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.control.server import server_app
from flows.cli.terminal.console import tell
from flows.cli.terminal.runner import run_without_prefect

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="Encrypted; only its owner may read it.")]


@server_app.command("export")
def slipway_server_export(
    file: FileArgument,
    runs: Annotated[int, typer.Option("--runs", min=0, help="At most so many ended runs, the newest.")] = 2000,
) -> None:
    """Write blocks with their secrets, deployments, schedules, pools, limits, automations, variables and ended runs
    of the Prefect server that is configured here into FILE. Its passphrase is read from standard input.

    docs/CONTROL_PLANE.md says what stays behind.
    """

    def work() -> list[str]:
        from flows.tasks.control.moving.carrying import export_control_plane

        contents = export_control_plane(file.expanduser(), _passphrase(confirmed=True), runs)
        return [f"Wrote {file}: {contents}.", *contents.left]

    for sentence in run_without_prefect(work, settings=False):
        tell(sentence)


@server_app.command("import")
def slipway_server_import(file: FileArgument) -> None:
    """Make at the Prefect server that is configured here what FILE holds. Again: changes nothing.

    Its passphrase is read from standard input. Then: slipway server register, so that deployments are this version's.
    """

    def work() -> str:
        from flows.tasks.control.moving.carrying import import_control_plane

        return str(import_control_plane(file.expanduser(), _passphrase()))

    tell(f"There now: {run_without_prefect(work, settings=False)}.")
    tell("Make the deployments this version's: slipway server register (for a team: docker compose run --rm register)")


def _passphrase(confirmed: bool = False) -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=confirmed))
    return sys.stdin.readline(1000).rstrip("\n")
