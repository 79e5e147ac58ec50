"""The commands for what happens after a release: go back, look back, tidy up, find out why."""

import json
from typing import Annotated, Any

import typer

from flows.options import AsJson, Droplet, Stack, Verbose, Wait, show
from flows.running import run_flow

PANEL = "Upkeep"


def add_upkeep(app: typer.Typer) -> None:
    """Add these commands to `slipway`."""
    for command in (rollback, reconcile, history, prune, debug_agent):
        app.command(rich_help_panel=PANEL)(command)
    app.command("system-prune", rich_help_panel=PANEL)(system_prune)


def rollback(
    to: Annotated[
        str | None, typer.Option("--to", metavar="TAG", help="Default: the last known good release before this one.")
    ] = None,
    stack: Stack = None,
    droplet: Droplet = None,
    wait: Wait = 0.0,
    verbose: Verbose = False,
) -> None:
    """Put a release that was good on the droplet in force again, validate it, and prove its digests."""

    def work() -> Any:
        from flows.rollback import rollback as flow

        return flow(to, stack, droplet, "", wait)

    show("show_rolled_back", run_flow(work, verbose))


def reconcile(stack: Stack = None, droplet: Droplet = None, wait: Wait = 60.0, verbose: Verbose = False) -> None:
    """Finish or undo what a killed, crashed or cancelled run left on a droplet."""

    def work() -> Any:
        from flows.reconcile import reconcile as flow

        return flow(stack, droplet, wait)

    show("show_reconciled", run_flow(work, verbose))


def history(stack: Stack = None, droplet: Droplet = None, as_json: AsJson = False, verbose: Verbose = False) -> None:
    """Show what was put on each droplet, when, by whom, and what became of it."""

    def work() -> Any:
        from flows.history import history as flow

        return flow(stack, [droplet] if droplet else None)

    found = run_flow(work, verbose, quiet=not verbose)
    if as_json:
        said = {name: [record.model_dump(mode="json") for record in one.records] for name, one in found.items()}
        print(json.dumps({"droplets": said}, indent=2))
    else:
        show("show_history", found)


def prune(
    stack: Stack = None,
    droplet: Droplet = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would go, and change nothing.")] = False,
    build_host: Annotated[
        bool, typer.Option("--build-host", help="Tidy the build host too: dangling images, builder cache.")
    ] = False,
    keep: Annotated[
        int | None,
        typer.Option("--keep", metavar="N", help="Good releases that stay; default: the setting `retention`."),
    ] = None,
    wait: Wait = 0.0,
    verbose: Verbose = False,
) -> None:
    """Remove from a droplet what no kept release needs; never a volume, nothing of anybody else's."""

    def work() -> Any:
        from flows.prune import prune as flow

        return flow(stack, droplet, dry_run, build_host, keep, wait)

    show("show_pruned", run_flow(work, verbose))


def system_prune(
    droplet: Droplet = None,
    confirm: Annotated[
        str | None, typer.Option("--confirm", metavar="NAME", help="The droplet's name, instead of being asked for it.")
    ] = None,
    wait: Wait = 0.0,
    verbose: Verbose = False,
) -> None:
    """Last resort: remove everything unused from a droplet, whoever left it there. Named volumes stay."""
    if confirm is None:
        confirm = run_flow(lambda: _asked(droplet), verbose, quiet=True)

    def work() -> Any:
        from flows.system_prune import system_prune as flow

        return flow(droplet, confirm, wait)

    show("show_system_pruned", run_flow(work, verbose))


def debug_agent(
    service: Annotated[str | None, typer.Argument(help="Default: every service that is not well.")] = None,
    stack: Stack = None,
    droplet: Droplet = None,
    local: Annotated[bool, typer.Option("--local", help="Look at the engine of this host, not at a droplet.")] = False,
    lines: Annotated[int, typer.Option("--lines", min=1, max=5000, help="Last log lines of each container.")] = 100,
    verbose: Verbose = False,
) -> None:
    """Find out why a service is not well, change nothing, and keep what was found as one archive."""
    if local and droplet:
        raise typer.BadParameter("cannot go with --droplet: one place is looked at", param_hint="--local")

    def work() -> Any:
        from flows.debug_agent import debug_agent as flow

        return flow(service, stack, droplet, local, lines)

    show("show_debugged", run_flow(work, verbose))


def _asked(droplet: str | None) -> str:
    """Show what would go, and let a person type the droplet's name; no lock is held meanwhile."""
    from flows.system_prune import debris_of

    found = debris_of(droplet)
    show("show_debris", found)
    try:
        return str(typer.prompt(f"Type the droplet's name ({found[0]}) to go on", default="", show_default=False))
    except typer.Abort:
        return ""
