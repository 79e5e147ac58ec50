"""`slipway explain`: what becomes of a compose file, without building or asking anybody, and its summary."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from flows.cli.app import SET_UP, app
from flows.cli.explanation.summary import explanation_sections
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.options import JsonOption, WideOption
from flows.cli.terminal.runner import run_without_prefect

if TYPE_CHECKING:
    from flows.core.explanation.explanation import Explanation

REFUSED = 2


@app.command("explain", rich_help_panel=SET_UP)
def slipway_explain(
    stack: Annotated[
        str | None,
        typer.Option(
            "--stack", metavar="PATH", help="A compose file or its directory; default: the setting `stack`, else here."
        ),
    ] = None,
    env_file: Annotated[
        Path | None,
        typer.Option("--env-file", metavar="PATH", help="Its variables; default: .env beside the compose file."),
    ] = None,
    as_json: JsonOption = False,
    wide: WideOption = False,
) -> None:
    """Say what becomes of a compose file. Builds nothing and asks nobody; ends with 2 if a release would be refused."""

    def look() -> "Explanation":
        from flows.settings import Settings
        from flows.tasks.explanation.explain_stack import explain_stack

        settings = Settings()
        place = settings.stack if Path(settings.stack).exists() else "."
        return explain_stack(stack or place, env_file, settings)

    explanation = run_without_prefect(look)
    if as_json:
        print(json.dumps(explanation.as_json(), indent=2))
    else:
        show_explanation(SummaryConsole(wide=wide), explanation, stack)
    if not explanation.accepted:
        raise typer.Exit(REFUSED)


def show_explanation(console: SummaryConsole, explanation: "Explanation", stack: str | None = None) -> None:
    """Each part of the compose file and what becomes of it; last what would be refused, and what to do next."""
    files = escape(", ".join(explanation.compose_files))
    if explanation.stack:
        console.say(f"[bold]{escape(explanation.stack)}[/bold] ({escape(explanation.named_by)}) · {files}")
    else:
        console.say(files)
    for title, listed in explanation_sections(explanation, wide=console.wide):
        if listed:
            console.print()
            console.say(f"[bold]{title}[/bold]")
            console.print(listed)
    console.print()
    for refusal in explanation.refusals:
        console.say(f"[bold red]✗ {refusal.error}:[/bold red] {escape(refusal.message)}")
    for hint in explanation.hints:
        console.say(f"{escape(hint)}.")
    given = f" --stack {stack}" if stack else ""
    if explanation.accepted:
        console.say(
            "[green]✓ A release of this would be accepted.[/green] "
            f"Next: slipway environment set{escape(given)}, slipway release{escape(given)}"
        )
    else:
        count = len(explanation.refusals)
        console.say(f"[red]A release of this would be refused, for {count} reason{'s' * (count != 1)}.[/red]")
