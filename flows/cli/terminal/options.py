"""The options that several commands share."""

from typing import Annotated, Literal

import typer

StackOption = Annotated[
    str | None,
    typer.Option("--stack", metavar="PATH", help="A compose file or its directory; default: the setting `stack`."),
]
DropletOption = Annotated[
    str | None,
    typer.Option("--droplet", metavar="NAME", help="A Droplet block; default: the setting `droplet`."),
]
TagOption = Annotated[
    str | None, typer.Option("--tag", metavar="TAG", help="Default: the short git commit of the stack's checkout.")
]
NeededTagOption = Annotated[str, typer.Option("--tag", metavar="TAG", help="The tag of a published release.")]
DigestOption = Annotated[
    str | None,
    typer.Option(
        "--digest",
        metavar="sha256:…",
        help="The release by the digest that build-push printed, whatever its tag means by now.",
    ),
]
ServicesOption = Annotated[
    str | None,
    typer.Option("--services", metavar="A,B", help="Build and push only these; the others keep their newest images."),
]
EnvFileOption = Annotated[
    str | None,
    typer.Option("--env-file", metavar="PATH", help="Variables over those of the stack's environment block."),
]
MirrorOption = Annotated[
    bool | None,
    typer.Option("--mirror-external/--no-mirror-external", help="Copy images from elsewhere into the registry."),
]
CleanupOption = Annotated[
    bool | None,
    typer.Option(
        "--cleanup-on-failure/--no-cleanup-on-failure",
        help="Prune dangling layers after a failed build or push; default: on when CI is set.",
    ),
]
RefOption = Annotated[
    str | None,
    typer.Option(
        "--ref", metavar="COMMIT", help="Build this branch, tag or commit, not the checkout as it lies there."
    ),
]
# The choices stand in flows/settings/fields.py too, which is not imported here: it would make `--help` slow.
StrategyOption = Annotated[
    Literal["rolling", "prefetch", "recreate"] | None,
    typer.Option("--strategy", help="How services are replaced; default: the setting `strategy`."),
]
ApprovalOption = Annotated[
    Literal["never", "inconclusive", "always"] | None,
    typer.Option("--approval", help="When a person is asked; default: the setting `approval`."),
]
CanaryOption = Annotated[
    str | None,
    typer.Option(
        "--canary", metavar="5,25,50", help="Percent of the clients that go first; none: all at once. Default: setting."
    ),
]
ToColourOption = Annotated[
    Literal["green", "blue"] | None,
    typer.Option("--to", help="Only needed when the switch points nowhere, or at both."),
]
ConfirmOption = Annotated[
    bool | None,
    typer.Option("--confirm/--yes", help="Ask before the first change, with the plan; default: the setting `confirm`."),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="List what would go, and change nothing.")]
WaitOption = Annotated[
    float,
    typer.Option("--wait", metavar="SECONDS", min=0, help="Wait so long while another run changes the droplet."),
]
WideOption = Annotated[
    bool, typer.Option("--wide", help="Show every value whole, however long the lines of the tables become.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
AgainOption = Annotated[
    float, typer.Option("--watch", metavar="SECONDS", min=0, help="Look again and again, with such a pause.")
]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Show every line of the run's log.")]


def split_names(names: str | None) -> list[str] | None:
    """`a,b` as a list; None for nothing."""
    return [name.strip() for name in names.split(",") if name.strip()] if names else None
