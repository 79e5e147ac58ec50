"""A flow that leaves a note in the directory where it works: how often a run began, and whether it ended."""

import os
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.support import wait_until

FLOW = """\
import os, socket
from prefect import flow, pause_flow_run, runtime

def note(word):
    with open("done", "a") as file:
        file.write(f"{runtime.flow_run.name} {word}\\n")

@flow
def leave_a_note(hold: bool = False, pause: bool = False):
    name = runtime.flow_run.name
    if hold:
        with open(f"where-{name}", "w") as file:
            file.write(socket.gethostname())
        os.mkfifo(f"go-{name}")
    note("began")
    if pause:
        pause_flow_run(timeout=900)
    if hold:
        open(f"go-{name}").close()  # until somebody writes there
    note("ended")
"""


def deploy_notes(post: Callable[[str, Any], Any], here: Path, there: str) -> str:
    """Make its deployment; the id.

    Args:
        post: to Prefect's API, by path and body.
        here: the directory, for this process.
        there: the same one, for the worker.
    """
    (here / "note.py").write_text(FLOW)
    (here / "note.py").chmod(0o644)
    flow = post("/flows/", {"name": "leave-a-note"})["id"]
    pull = {"prefect.deployments.steps.set_working_directory": {"directory": there}}
    return str(post("/deployments/", {
        "name": "leave-a-note", "flow_id": flow, "work_pool_name": "slipway", "entrypoint": "note.py:leave_a_note",
        "pull_steps": [pull],
    })["id"])  # fmt: skip


def notes_of(names: Any, here: Path) -> Counter[str]:
    """What runs of these names wrote, and how often."""
    done = here / "done"
    lines = done.read_text().splitlines() if done.exists() else []
    return Counter(line for line in lines if line.split()[0] in names)


def let_go(names: Iterable[str], here: Path) -> None:
    """Let runs that were started with `hold` go on, each as soon as it has begun."""
    held = set(names)

    def gone() -> bool:
        held.difference_update([name for name in held if _written(here / f"go-{name}")])
        return not held

    wait_until(gone, 300, why=lambda: held, pause=0.1)


def _written(held: Path) -> bool:
    try:
        os.close(os.open(held, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:  # it is not there yet, or nobody reads there yet
        return False
    return True


def once_each(names: Any) -> Counter[str]:
    """What they write where each is done once."""
    return Counter({f"{name} {word}": 1 for name in names for word in ("began", "ended")})
