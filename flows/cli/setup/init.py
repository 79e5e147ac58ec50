"""`slipway init`: what a repository with a compose file needs to be released, shown as diffs and asked for."""

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from flows.cli.app import SET_UP, app
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.runner import run_without_prefect

if TYPE_CHECKING:
    from flows.core.control.beginning.proposal import Proposal
    from flows.tasks.control.proposals import Beginning, FileChange

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@app.command("init", rich_help_panel=SET_UP)
def slipway_init(
    path: Annotated[
        str, typer.Argument(metavar="[PATH]", help="A compose file or its directory; default: the directory here.")
    ] = ".",
    yes: Annotated[bool, typer.Option("--yes", help="Write all of it without asking.")] = False,
    ci_source: Annotated[
        str,
        typer.Option(
            "--ci-source",
            metavar="REQUIREMENT",
            help="Write the CI's workflow too; what its pip installs Slipway from: a wheel's address, or "
            "git+https://…@COMMIT.",
        ),
    ] = "",
    promote: Annotated[
        bool, typer.Option("--promote", help="The CI's workflow moves traffic, too: two colours, and a switch.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")] = False,
) -> None:
    """Propose x-slipway for each service, slipway.toml, and the CI's workflow. Each change is shown and asked for."""

    def begin() -> None:
        from flows.core.errors import ConflictingOptions
        from flows.tasks.control.proposals import find_beginning

        if yes and dry_run:
            raise ConflictingOptions("--yes writes all of it and --dry-run nothing. Leave one out")
        if not (yes or dry_run or is_asked()):
            raise ConflictingOptions("nobody can be asked here. Give --yes to write all of it, or --dry-run to look")
        console = SummaryConsole()
        found = find_beginning(path, ci_source, promote=promote)
        written = [change for change in found.changes if _settle(console, found, change, yes=yes, dry_run=dry_run)]
        _show_rest(console, found)
        _show_end(console, found, written, path, dry_run=dry_run)
        if not ci_source:
            console.say("A workflow for GitHub or GitLab, too: slipway init --ci-source REQUIREMENT (docs/CI.md).")

    run_without_prefect(begin)


def is_asked() -> bool:
    """Whether somebody sits at the terminal who can answer."""
    return sys.stdin.isatty()


def _settle(console: SummaryConsole, found: "Beginning", change: "FileChange", *, yes: bool, dry_run: bool) -> bool:
    """Show a change and ask for it. Returns whether it was written."""
    from flows.tasks.control.proposals import write_change

    for line in change.diff(found.directory):
        colour = "bold" if line.startswith(("---", "+++")) else _COLOURS.get(line[:1], "")
        console.say(f"[{colour}]{escape(line)}[/{colour}]" if colour else escape(line))
    for sentence in change.why:
        console.say(escape(sentence))
    name = os.path.relpath(change.path, found.directory)
    wanted = not dry_run and (yes or typer.confirm(f"Write {name}?", default=False))
    if wanted:
        write_change(change)
        console.say(f"[green]✓[/green] {escape(name)} written.")
    console.print()
    return wanted


def _show_rest(console: SummaryConsole, found: "Beginning") -> None:
    """What stays, what has no place, and what only a person knows."""
    for sentence in found.left:
        console.say(f"{escape(sentence)}; left as it is.")
    for one in found.unplaced:
        console.say(f"[yellow]{escape(one.service)}[/yellow]: put this where it belongs; as the file is written, it "
                    "would hold for others too, or has no place:")  # fmt: skip
        for line in _pasted(one):
            console.say(escape(line))
    for service, places in found.unsaid.items():
        console.say(
            f"{escape(service)} may write to {escape(', '.join(places))}. If that is state, say where it lives before "
            "two colours run: x-slipway.data (docs/STACK.md)."
        )


def _pasted(one: "Proposal") -> tuple[str, ...]:
    return (f"  {one.service}:", *one.block(4))


def _show_end(
    console: SummaryConsole, found: "Beginning", written: list["FileChange"], path: str, *, dry_run: bool
) -> None:
    if not found.changes:
        console.say("Nothing to write.")
    elif not written:
        console.say("Nothing was written.")
    if not dry_run:
        console.say(f"Look at it with git diff. Next: slipway explain --stack {escape(path)}")
