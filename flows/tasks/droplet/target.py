"""Where a run works: its settings, the droplet, and the stack's directory there."""

from typing import Any

from flows.core.droplet.directories import StackDirectory
from flows.core.release.role import home_stack
from flows.settings import Settings
from flows.tasks.runs.blocks import load_droplet
from flows.tasks.stack.source import stack_name


def _place(flow: Any, flow_run: Any) -> tuple[Any, StackDirectory, Settings]:
    settings = Settings()
    name = stack_name(flow_run.parameters.get("stack") or settings.stack)
    if flow.name == "deploy-home":
        target, name = load_droplet(settings.home), home_stack(name)
    else:
        target = load_droplet(flow_run.parameters.get("droplet") or settings.droplet)
    return target, StackDirectory(target.directory, name), settings
