"""What is worth trying again: a network that failed, never an answer that said no."""

from typing import Any

from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from blocks.errors import RegistryFailed, RemoteTimeout, Unreachable
from flows.core.errors import PullFailed, PushFailed

_PASSING = (Unreachable, RegistryFailed, RemoteTimeout, PushFailed, PullFailed)


def worth_retrying(_task: Any, _run: Any, state: Any) -> bool:
    """Prefect's `retry_condition_fn`: only what may pass by itself."""
    return isinstance(state.result(raise_on_failure=False), _PASSING)


# Marks a log line that is another program's output: the terminal shows it only when asked to.
RAW = "slipway_raw"
# No task of ours is cached: each acts on the outside world, and clients have no cache key.
ONCE: dict[str, Any] = {"cache_policy": NO_CACHE, "persist_result": False}
RETRIED: dict[str, Any] = {
    **ONCE,
    "retries": 2,
    "retry_delay_seconds": exponential_backoff(backoff_factor=2),
    "retry_condition_fn": worth_retrying,
}
