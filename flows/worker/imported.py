"""What a template imports, and whether a run would import the same."""

import gc
import importlib
import os
import pkgutil
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prefect.plugins import load_prefect_collections

import flows
from flows.worker.code_state import CodeState, base_path, code_state, interpreter_variables, shadowed

# What a run imports on its way to its first step; the rest comes with the flows.
_PREFECT = (
    "prefect.main", "prefect.engine", "prefect.flow_engine", "prefect.task_engine", "prefect.concurrency._sync",
    "prefect.concurrency._asyncio", "prefect.deployments.steps.pull", "prefect.utilities.visualization",
    "prefect.runner._workspace_supervisor", "anyio._backends._asyncio",
)  # fmt: skip
# What a command in a terminal imports besides.
_COMMANDS = (
    "flows.cli.main", "flows.cli.terminal.progress", "flows.cli.terminal.tables", "flows.api.approvals",
    "flows.looking.doctor", "flows.looking.plan", "flows.looking.service", "flows.looking.status", "rich.markdown",
)  # fmt: skip


@dataclass(frozen=True)
class Imported:
    """What a template has imported, for the question whether a run would import the same.

    Args:
        state: the code on disk when it began.
        variables: those of its environment that Python reads at its start.
        base_path: where it looks besides PYTHONPATH and its directory.
        path: where it looked.
    """

    state: CodeState
    variables: Mapping[str, str]
    base_path: Sequence[str]
    path: Sequence[str]

    def why_not(self, path: Sequence[str], env: Mapping[str, str]) -> str:
        """Why a process with this search path and environment has to be an interpreter of its own; '' if it need
        not."""
        if interpreter_variables(env) != self.variables:
            return "PYTHON… variables other than the worker's"
        name = shadowed(path, self.path)
        return name and f"code other than the worker's: {name}"


def preload() -> Imported:
    """Import what runs need. Nothing of it may start a thread."""
    state = code_state()  # what changes from now on may be imported old or new
    for name in (*_PREFECT, *_COMMANDS, *(f"flows.{module.name}" for module in pkgutil.iter_modules(flows.__path__))):
        importlib.import_module(name)
    load_prefect_collections()
    if threading.active_count() > 1:
        sys.exit(f"cannot fork: threads were started by imports: {threading.enumerate()}")
    # The collector would write to what is imported: forks share it only as long as nobody does.
    gc.collect()
    gc.freeze()
    return Imported(state, interpreter_variables(os.environ), base_path(os.environ), list(sys.path))
