"""The commands `slipway` (`python -m flows.cli`) and `slipway-trigger`, which waits for no other command's import."""

import sys


def run_slipway() -> None:
    """Run the command line, and end the process with its exit code."""
    if sys.argv[1:2] == ["trigger"]:
        run_trigger(sys.argv[1:])
    from flows.cli.main import main as every_command

    every_command()


def run_trigger(words: list[str] | None = None) -> None:
    """Run `slipway trigger`, and end the process with its exit code.

    Args:
        words: the whole command line; default: this process's, behind the word `trigger`.
    """
    from flows.cli.app import app
    from flows.cli.trigger import command  # noqa: F401 — it registers itself

    app(words if words is not None else ["trigger", *sys.argv[1:]], prog_name="slipway")


if __name__ == "__main__":
    run_slipway()
