"""What the commands `slipway` and `slipway-trigger` call: `trigger` alone waits for no other command's import."""

import sys


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    if sys.argv[1:2] == ["trigger"]:
        trigger(sys.argv[1:])
    from flows.cli.main import main as every_command

    every_command()


def trigger(words: list[str] | None = None) -> None:
    """Run `slipway trigger`, and end the process with its exit code.

    Args:
        words: the whole command line; default: this process's, behind the word `trigger`.
    """
    from flows.cli.app import app
    from flows.cli.trigger import command  # noqa: F401 — it registers itself

    app(words if words is not None else ["trigger", *sys.argv[1:]], prog_name="slipway")
