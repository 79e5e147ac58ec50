"""`slipway promote`, `plan`, `gates`, `watch` and `switch-back`, and their summaries."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer
from rich.markup import escape
from rich.text import Text

from flows.cli.app import TRAFFIC, app
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.looking import look, look_again
from flows.cli.terminal.options import (
    AgainOption,
    ApprovalOption,
    CanaryOption,
    DigestOption,
    EnvFileOption,
    JsonOption,
    StackOption,
    StrategyOption,
    ToColourOption,
    VerboseOption,
    WaitOption,
    WideOption,
)
from flows.cli.terminal.plans import show_plans_of_deploys
from flows.cli.terminal.runner import run_flow
from flows.cli.terminal.tables import SummaryTable, shown_image

if TYPE_CHECKING:
    from flows.api.client import PrefectApi
    from flows.core.results import GateReport, Promoted, TrafficMoved, Watched
    from flows.core.traffic.promotion_plan import PromotionPlan
    from flows.settings import Settings

WatchOption = Annotated[
    float | None, typer.Option("--watch", metavar="SECONDS", min=0, help="How long; default: the setting `watch`.")
]
_VERDICTS = {"pass": ("✓ pass", "green"), "fail": ("✗ fail", "red"), "inconclusive": ("? inconclusive", "yellow")}
_CHANGES = {"same": "dim", "changed": "yellow", "new": "green", "gone": "red"}


@app.command("promote", rich_help_panel=TRAFFIC)
def slipway_promote(
    stack: StackOption = None,
    tag: Annotated[
        str | None,
        typer.Option("--tag", metavar="TAG", help="Put this release on the idle colour first; default: what is there."),
    ] = None,
    digest: DigestOption = None,
    to: ToColourOption = None,
    approval: ApprovalOption = None,
    strategy: StrategyOption = None,
    env_file: EnvFileOption = None,
    canary: CanaryOption = None,
    watch: WatchOption = None,
    wait: WaitOption = 0.0,
    wide: WideOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Prove the release on the idle colour, send traffic there, and watch it; back by itself if it does not hold."""
    promoted = run_flow(
        "flows.promote:promote",
        verbose=verbose,
        stack=stack,
        tag=tag,
        digest=digest,
        to=to,
        approval=approval,
        strategy=strategy,
        env_file=env_file,
        canary=canary,
        watch=watch,
        wait=wait,
    )
    show_promoted(SummaryConsole(wide=wide), promoted)


@app.command("plan", rich_help_panel=TRAFFIC)
def slipway_plan(
    stack: StackOption = None,
    to: ToColourOption = None,
    tag: Annotated[
        str | None, typer.Option("--tag", metavar="TAG", help="Of a published release: plan its deploy.")
    ] = None,
    droplet: Annotated[
        str | None, typer.Option("--droplet", metavar="NAME", help="With --tag; default: those of the idle colour.")
    ] = None,
    strategy: StrategyOption = None,
    env_file: EnvFileOption = None,
    digest: DigestOption = None,
    edge: Annotated[bool, typer.Option("--edge", help="Also print what the droplet's edge is told to serve.")] = False,
    as_json: JsonOption = False,
    wide: WideOption = False,
    watch: AgainOption = 0.0,
) -> None:
    """Show what a promotion would change, or the deploy of a release with --tag, and change nothing."""
    console = SummaryConsole(wide=wide)
    if tag or droplet:
        plans = run_flow(
            "flows.plan:plan", quiet=True, stack=stack, to=to, tag=tag, droplet=droplet, strategy=strategy,
            env_file=env_file, digest=digest,
        )  # fmt: skip
        show_plans_of_deploys(console, plans, as_json=as_json)
        return

    def work(api: "PrefectApi", name: str, settings: "Settings") -> "PromotionPlan | None":
        from flows.looking.plan import look_at_plan

        return look_at_plan(api, name, to, settings, edge=edge)

    def find() -> "PromotionPlan":
        # A switch that only its block can ask (an admin API, DigitalOcean's) needs Prefect, and so a run.
        found = look(work, stack) or run_flow("flows.plan:plan", quiet=True, stack=stack, to=to)
        return cast("PromotionPlan", found)

    def show(plan: "PromotionPlan") -> None:
        if as_json:
            print(json.dumps({**asdict(plan), "sentence": plan.sentence}, indent=2))
            return
        show_plan(console, plan)
        if edge:
            typer.echo(plan.site or "Traffic is not switched by an edge of the droplet.")

    look_again(console, watch, show, find)


@app.command("gates", rich_help_panel=TRAFFIC)
def slipway_gates(
    stack: StackOption = None,
    colour: Annotated[Literal["green", "blue"] | None, typer.Option("--colour", help="Default: the idle one.")] = None,
    window: Annotated[
        float | None,
        typer.Option("--window", metavar="SECONDS", min=0, help="Count requests so long; default: the setting."),
    ] = None,
    wide: WideOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Read every gate of a colour, and change nothing. Exit 1: one failed; 3: they are inconclusive."""
    found = run_flow("flows.gates:gates", verbose=verbose, stack=stack, colour=colour, window=window)
    show_gates(SummaryConsole(wide=wide), found)
    raise typer.Exit({"pass": 0, "fail": 1}.get(found.verdict.value, 3))


@app.command("watch", rich_help_panel=TRAFFIC)
def slipway_watch(stack: StackOption = None, seconds: WatchOption = None, verbose: VerboseOption = False) -> None:
    """Read the gates of the active colour again for a while; traffic goes to the other one when they fail."""
    watched = run_flow("flows.watch:watch", verbose=verbose, stack=stack, seconds=seconds)
    show_watched(SummaryConsole(), watched)


@app.command("switch-back", rich_help_panel=TRAFFIC)
def slipway_switch_back(
    stack: StackOption = None,
    to: ToColourOption = None,
    force: Annotated[bool, typer.Option("--force", help="Go there whatever its probes say.")] = False,
    even_if_sick: Annotated[bool, typer.Option("--even-if-sick", hidden=True)] = False,  # until version 0.3
    verbose: VerboseOption = False,
) -> None:
    """Send traffic to the other colour, if it is well; done in a moment, or once one that is asleep is awake."""
    moved = run_flow("flows.switch_back:switch_back", verbose=verbose, stack=stack, to=to, force=force or even_if_sick)
    show_traffic_moved(SummaryConsole(), moved)


def show_plan(console: SummaryConsole, plan: "PromotionPlan") -> None:
    """What a promotion would change, service by service, and what clients would see."""
    console.print(_changes(console, plan))
    console.say(f"Environment keys that differ: {escape(', '.join(plan.keys)) or 'none'}.")
    for note in plan.notes:
        console.say(f"[yellow]{escape(note)}[/yellow]")
    console.say(f"[bold]{escape(plan.sentence)}[/bold] {escape(plan.client_impact)}")


def show_gates(console: SummaryConsole, found: "GateReport") -> None:
    """What each gate found, what was wanted, and the verdict of all."""
    table = SummaryTable("gate", "verdict", "found", "wanted", free_text=["found", "wanted"])
    for reading in found.readings:
        verdict = Text(*_VERDICTS[reading.verdict.value])
        note = "observed only: it decides nothing" if reading.observed else ""
        table.add_row(reading.gate, verdict, reading.found, reading.wanted, below=note)
    console.print(table)
    beyond = max(0.0, found.seconds - found.window)
    words, style = _VERDICTS[found.verdict.value]
    console.say(
        f"{found.colour}: [{style}]{words}[/{style}] in {found.seconds:.1f} s "
        f"(requests were let come for {found.window:.1f} s, the rest took {beyond:.1f} s)."
    )


def show_promoted(console: SummaryConsole, promoted: "Promoted") -> None:
    """What changed, the gates it passed, and where traffic goes now."""
    if promoted.plan:
        console.print(_changes(console, promoted.plan))
    if promoted.gates:
        show_gates(console, promoted.gates)
    show_traffic_moved(console, promoted)
    if promoted.canary:
        shares = ", ".join(f"{percent} %" for percent in promoted.canary)
        console.say(f"Before that {shares} of the clients reached it, and it held.")
    if promoted.approved_by:
        console.say(f"Approved by {escape(promoted.approved_by)}.")
    stays = "is asleep: slipway switch-back wakes it and goes there"
    if not promoted.asleep:
        stays = "is kept warm: slipway switch-back goes there in a moment"
    kept = f" {promoted.previous_colour} {stays}." if promoted.previous_colour else ""
    console.say(f"Watched for {promoted.watched:.0f} s, {promoted.readings} readings.{kept}")
    if promoted.run_url:
        console.say(f"The run in the Prefect UI: {promoted.run_url}")


def show_traffic_moved(console: SummaryConsole, moved: "TrafficMoved") -> None:
    """Where traffic goes now, and how long that took."""
    away = f", away from {moved.previous_colour}" if moved.previous_colour else ""
    what = f" (release {moved.tag})" if moved.tag else ""
    woken = f"woken after {moved.woken_after:.2f} s, " if moved.woken_after else ""
    console.say(
        f"Traffic of {moved.url} reaches [bold]{moved.colour}[/bold]{what}{away}: {woken}switched after "
        f"{moved.turned_after:.2f} s, answering after {moved.seen_after:.2f} s."
    )


def show_watched(console: SummaryConsole, found: "Watched") -> None:
    """How often the gates were read, and how often they did not pass."""
    console.say(
        f"[bold]{found.colour}[/bold] held for {found.seconds:.0f} s: {found.readings} readings, "
        f"{found.failing} failing, {found.inconclusive} inconclusive."
    )


def _changes(console: SummaryConsole, plan: "PromotionPlan") -> SummaryTable:
    table = SummaryTable("service", "change", "old", "new")
    for change in plan.changes:
        images = (shown_image(image, wide=console.wide) or "none" for image in (change.old, change.new))
        table.add_row(change.service, Text(change.kind, _CHANGES[change.kind]), *images)
    return table
