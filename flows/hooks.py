"""What happens when a run fails, crashes or is cancelled. Hooks gather and tidy; they decide nothing.

After a crash or a cancel they run in a fresh process: everything is rebuilt from the run's parameters.
"""

from typing import Any

from prefect.logging import get_logger

from flows.core.compose import prune_builder, prune_dangling
from flows.settings import Settings
from flows.tasks.host import run
from flows.tasks.saved import engine_environment
from flows.tasks.source import stack_name


def prune_build_host(_flow: Any, flow_run: Any, _state: Any) -> None:
    """Remove what a failed build or push leaves on the build host: dangling layers of this stack, and builder cache
    beyond the configured size. Nothing tagged, nothing of another stack."""
    parameters = flow_run.parameters
    settings = Settings()
    wanted = parameters.get("cleanup_on_failure")
    if not (settings.cleanup_on_failure if wanted is None else wanted):
        return
    log = get_logger("slipway.hooks")
    env = engine_environment(settings)
    stack = stack_name(parameters.get("stack") or settings.stack)
    for argv in (prune_dangling(stack, settings.docker), prune_builder(settings.builder_cache, settings.docker)):
        answer = run(argv, env, 300)
        freed = (answer.stdout.strip().splitlines() or [answer.stderr.strip()])[-1]
        log.info("after the failure: `%s`: %s", " ".join(argv), freed)
