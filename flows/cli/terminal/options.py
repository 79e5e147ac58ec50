"""The options that several commands share, and how their results are shown."""

from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.console import Console

from flows.cli.terminal.runner import wide_console

Stack = Annotated[
    str | None,
    typer.Option("--stack", metavar="PATH", help="A compose file or its directory; default: the setting `stack`."),
]
Droplet = Annotated[
    str | None,
    typer.Option("--droplet", metavar="NAME", help="A Droplet block; default: the setting `droplet`."),
]
Tag = Annotated[
    str | None, typer.Option("--tag", metavar="TAG", help="Default: the short git commit of the stack's checkout.")
]
NeededTag = Annotated[str, typer.Option("--tag", metavar="TAG", help="The tag of a published release.")]
Services = Annotated[
    str | None,
    typer.Option("--services", metavar="A,B", help="Build and push only these; the others keep their newest images."),
]
EnvFile = Annotated[
    str | None,
    typer.Option("--env-file", metavar="PATH", help="Variables over those of the stack's environment block."),
]
Strategy = Annotated[
    str | None, typer.Option("--strategy", metavar="rolling|prefetch|recreate", help="How services are replaced.")
]
Mirror = Annotated[
    bool | None,
    typer.Option("--mirror-external/--no-mirror-external", help="Copy images from elsewhere into the registry."),
]
Cleanup = Annotated[
    bool | None,
    typer.Option(
        "--cleanup-on-failure/--no-cleanup-on-failure",
        help="Prune dangling layers after a failed build or push; default: on when CI is set.",
    ),
]
Ref = Annotated[
    str | None,
    typer.Option("--ref", metavar="COMMIT", help="Build this commit or branch, not the checkout as it lies there."),
]
Wait = Annotated[
    float,
    typer.Option("--wait", metavar="SECONDS", min=0, help="Wait so long while another run changes the droplet."),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show every line of the run's log.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def show(name: str, result: Any) -> None:
    """Show a result by the summary of this name."""
    import flows.cloud_summaries
    import flows.summaries
    import flows.traffic_summaries

    rooms = (flows.summaries, flows.traffic_summaries, flows.cloud_summaries)
    summary: Callable[[Console, Any], None] = next(getattr(room, name) for room in rooms if hasattr(room, name))
    summary(wide_console(), result)


def split(names: str | None) -> list[str] | None:
    """`a,b` as a list; None for nothing."""
    return [name.strip() for name in names.split(",") if name.strip()] if names else None


Approval = Annotated[
    str | None,
    typer.Option(
        "--approval", metavar="never|inconclusive|always", help="When a person is asked; default: the setting."
    ),
]
To = Annotated[
    str | None, typer.Option("--to", metavar="green|blue", help="Only needed when the switch points nowhere.")
]


def known_approval(name: str | None) -> Any:
    """The approval policy, or a usage error that names those there are."""
    return _known(name, ("never", "inconclusive", "always"), "--approval")


def known_strategy(name: str | None) -> Any:
    """The strategy, or a usage error that names those there are."""
    return _known(name, ("rolling", "prefetch", "recreate"), "--strategy")


def _known(name: str | None, known: tuple[str, ...], option: str) -> str | None:
    if name is not None and name not in known:
        raise typer.BadParameter(f"{name} is none of {', '.join(known)}", param_hint=option)
    return name
