"""`slipway deploy`, `validate` and `deploy-home`, and their summaries."""

from typing import TYPE_CHECKING

from rich.markup import escape

from flows.cli.app import FLOWS, TRAFFIC, app
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.options import (
    ApprovalOption,
    ConfirmOption,
    DigestOption,
    DropletOption,
    EnvFileOption,
    NeededTagOption,
    StackOption,
    StrategyOption,
    VerboseOption,
    WaitOption,
    WideOption,
)
from flows.cli.terminal.runner import run_flow
from flows.cli.terminal.tables import SummaryTable, marked, pulled_images, services_table

if TYPE_CHECKING:
    from flows.core.results import Deployed, Validated


@app.command("deploy", rich_help_panel=FLOWS)
def slipway_deploy(
    tag: NeededTagOption,
    digest: DigestOption = None,
    stack: StackOption = None,
    droplet: DropletOption = None,
    strategy: StrategyOption = None,
    env_file: EnvFileOption = None,
    wait: WaitOption = 0.0,
    confirm: ConfirmOption = None,
    wide: WideOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Put a published release on a droplet, by digest, and prove that it runs; go back if it does not."""
    deployed = run_flow(
        "flows.deploy:deploy",
        verbose=verbose,
        asks=True,
        confirms=confirm,
        tag=tag,
        digest=digest,
        stack=stack,
        droplet=droplet,
        strategy=strategy,
        env_file=env_file,
        wait=wait,
    )
    show_deployed(SummaryConsole(wide=wide), deployed)


@app.command("validate", rich_help_panel=FLOWS)
def slipway_validate(
    stack: StackOption = None, droplet: DropletOption = None, wide: WideOption = False, verbose: VerboseOption = False
) -> None:
    """Probe what runs on a droplet: health, MCP tools, workflows and their traces."""
    validated = run_flow("flows.validate:validate", verbose=verbose, stack=stack, droplet=droplet)
    show_validated(SummaryConsole(wide=wide), validated)


@app.command("deploy-home", rich_help_panel=TRAFFIC)
def slipway_deploy_home(
    tag: NeededTagOption,
    digest: DigestOption = None,
    stack: StackOption = None,
    approval: ApprovalOption = "always",
    strategy: StrategyOption = None,
    env_file: EnvFileOption = None,
    wait: WaitOption = 0.0,
    wide: WideOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Put what keeps state on the data home, after a person said yes; never part of a switch."""
    deployed = run_flow(
        "flows.deploy_home:deploy_home",
        verbose=verbose,
        tag=tag,
        digest=digest,
        stack=stack,
        approval=approval,
        strategy=strategy,
        env_file=env_file,
        wait=wait,
    )
    show_deployed(SummaryConsole(wide=wide), deployed)


def show_deployed(console: SummaryConsole, deployed: "Deployed") -> None:
    """State and image of each service, and what had to be pulled."""
    console.print(services_table(console, deployed.services))
    console.say(
        f"Release [bold]{escape(deployed.release.tag)}[/bold] runs on [bold]{deployed.droplet}[/bold], by digest. "
        f"{pulled_images(deployed)} In {deployed.seconds:.1f} s."
    )


def show_validated(console: SummaryConsole, validated: "Validated") -> None:
    """What each probe found."""
    table = SummaryTable("", "service", "probe", "found", free_text=["found"])
    for outcome in validated.outcomes:
        table.add_row(marked(outcome.mark), outcome.name, outcome.phase.value, outcome.detail)
    console.print(table)
    passed = sum(outcome.passed for outcome in validated.outcomes)
    console.say(
        f"{passed} of {len(validated.outcomes)} probes passed for release [bold]{escape(validated.tag)}[/bold] "
        f"on [bold]{validated.droplet}[/bold] in {validated.seconds:.1f} s."
    )
