"""The commands `slipway` (`python -m flows.cli`) and `slipway-trigger`.

What looks, and what CI waits for, begins without waiting for the import of every other command.
"""

import gc
import os
import sys
from importlib import import_module
from typing import cast

# Command → the module that registers it.
ALONE = {
    "trigger": "flows.cli.trigger.command",
    "settings": "flows.cli.looking.settings",
    "status": "flows.cli.looking.status",
    "logs": "flows.cli.looking.service",
    "exec": "flows.cli.looking.service",
    "doctor": "flows.cli.looking.doctor",
    "history": "flows.cli.records",
    "plan": "flows.cli.traffic",
    "approve": "flows.cli.approval",
}
# What others import for commands of their own, and do without where it is missing: a tenth of the time of a look.
_UNUSED = ("invoke", "httpx._main")


def run_slipway() -> None:
    """Run the command line, and end the process with its exit code."""
    if _may_be_forked():
        from flows.worker.attached import run_attached

        run_attached(sys.argv[1:], looks=sys.argv[1:2] != [] and sys.argv[1] in ALONE)
    # What is imported lasts; looking through all of it again and again takes a tenth of the time.
    gc.set_threshold(100_000, 20, 20)
    if module := ALONE.get(sys.argv[1]) if len(sys.argv) > 1 else None:
        _leave_out()
        import_module(module)
        from flows.cli.app import app, ended

        ended(lambda: app(prog_name="slipway"))
    from flows.cli.main import main as every_command

    every_command()


def _may_be_forked() -> bool:
    """Whether a worker on this machine may carry this out: in a terminal it may, and never what it has forked."""
    said = os.environ.get("SLIPWAY_FORK", "1" if os.isatty(2) else "0")
    return os.environ.pop("SLIPWAY__ATTACHED", None) is None and said == "1"


def _leave_out() -> None:
    modules = cast("dict[str, object]", sys.modules)
    for name in _UNUSED:
        modules.setdefault(name, None)  # importing it is an ImportError then
    # Pydantic looks through everything that is installed for plugins; there are none of ours.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def run_trigger() -> None:
    """Run `slipway trigger`, and end the process with its exit code."""
    sys.argv[1:1] = ["trigger"]
    run_slipway()


if __name__ == "__main__":
    run_slipway()
