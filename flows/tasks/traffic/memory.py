"""Asks a droplet whether two colours fit into its memory."""

from prefect.logging import get_run_logger

from blocks.ssh.shell import RemoteShell
from flows.core.stack.stack import Stack
from flows.core.steps import Step
from flows.core.traffic.memory import memory_need, memory_script, read_memory, refuse_what_does_not_fit
from flows.tasks.droplet.connection import QUICK
from flows.tasks.runs.declaration import task
from flows.tasks.runs.retries import RETRIED


@task(name=Step.MEMORY.value, task_run_name="check memory for {idle}", timeout_seconds=120, **RETRIED)
def check_memory(session: RemoteShell, stack: Stack, active: str, idle: str) -> str:
    """Whether the new release of the idle colour fits beside the active one; how much both need, in a sentence.

    Args:
        stack: what the idle colour is to run, as the droplet's own Compose resolved it.
        active, idle: the Compose projects of both colours on this droplet.

    Raises:
        NotEnoughMemory
    """
    need = memory_need(stack, read_memory(session.run(memory_script(active, idle), timeout=QUICK).out))
    refuse_what_does_not_fit(need, str(session.address))
    get_run_logger().info("%s: %s", session.address, need.sentence)
    return need.sentence
