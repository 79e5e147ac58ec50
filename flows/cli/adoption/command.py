"""`slipway adopt`: what runs as a plain Compose project goes over to two colours on one droplet; and its summary."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from flows.cli.app import TRAFFIC, app
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.options import (
    ApprovalOption,
    DigestOption,
    EnvFileOption,
    StackOption,
    VerboseOption,
    WaitOption,
    WideOption,
)
from flows.cli.terminal.runner import run_flow
from flows.cli.terminal.tables import SummaryTable

if TYPE_CHECKING:
    from flows.core.results import Adopted

_COLUMNS = ("service", "now", "becomes", "keeps", "ports")


@app.command("adopt", rich_help_panel=TRAFFIC)
def slipway_adopt(
    stack: StackOption = None,
    tag: Annotated[
        str | None, typer.Option("--tag", metavar="TAG", help="The published release that the project becomes.")
    ] = None,
    digest: DigestOption = None,
    project: Annotated[
        str | None, typer.Option("--project", metavar="NAME", help="The Compose project; default: the stack's name.")
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Start the old project again, as it was.")] = False,
    finish: Annotated[bool, typer.Option("--finish", help="Remove the project's stopped containers.")] = False,
    approval: ApprovalOption = "always",
    env_file: EnvFileOption = None,
    wait: WaitOption = 0.0,
    wide: WideOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Take what runs as a plain Compose project on one droplet over to two colours, after a person said yes."""
    adopted = run_flow(
        "flows.adopt:adopt",
        verbose=verbose,
        stack=stack,
        tag=tag,
        digest=digest,
        project=project,
        undo=undo,
        finish=finish,
        approval=approval,
        env_file=env_file,
        wait=wait,
    )
    show_adopted(SummaryConsole(wide=wide), adopted)


def show_adopted(console: SummaryConsole, adopted: "Adopted") -> None:
    """What became of each service, what is worth knowing, and for how long nobody was served."""
    if adopted.rows:
        table = SummaryTable(*_COLUMNS, free_text=["keeps", "ports"])
        for row in adopted.rows:
            table.add_row(*(str(row[column]) for column in _COLUMNS))
        console.print(table)
    for note in adopted.notes:
        console.say(f"[yellow]{escape(note)}[/yellow]")
    if adopted.done == "adopted":
        console.say(
            f"Project [bold]{escape(adopted.project)}[/bold] on {adopted.droplet} is now [bold]{adopted.stack}-green"
            f"[/bold] behind the edge, as release {escape(adopted.tag)}. It was away for {adopted.away:.1f} s. "
            "From here on: slipway release --promote. To undo it: slipway adopt --undo; once it has proved itself: "
            "slipway adopt --finish."
        )
    elif adopted.done == "finished":
        console.say(f"The stopped containers of [bold]{escape(adopted.project)}[/bold] are removed. Volumes stay.")
