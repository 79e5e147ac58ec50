"""promote: traffic goes to the idle colour once its release has proved itself, and back if it does not hold."""

from contextlib import ExitStack

from prefect import flow

from flows.core.colours import direction
from flows.core.outcome import Promoted
from flows.names import run_name
from flows.promotion import Promotion, Put
from flows.promotion_hooks import settle, tidy_colours
from flows.settings import Approval, Settings, Strategy
from flows.tasks.connection import connected
from flows.tasks.saved import load_environment, remembered
from flows.tasks.sides import load_sides
from flows.tasks.source import stack_name
from flows.tasks.traffic import open_switch, read_switch


@flow(
    name="promote",
    flow_run_name=run_name("promote {stack}"),
    on_failure=[tidy_colours],
    on_crashed=[settle],
    on_cancellation=[settle],
)
def promote(
    stack: str | None = None,
    tag: str | None = None,
    to: str | None = None,
    approval: Approval | None = None,
    strategy: Strategy | None = None,
    env_file: str | None = None,
    watch: float | None = None,
    wait: float = 0.0,
) -> Promoted:
    """Prove the release on the idle colour, send traffic there, and watch it; any failure afterwards sends it back.

    Args:
        stack: the stack's name, or its compose file; default: the setting `stack`.
        tag: put this published release on the idle colour first; default: what stands there.
        to: green or blue; only needed when the switch points nowhere.
        approval: never, inconclusive or always; default: the setting `approval`.
        strategy: how services are replaced on the idle colour; default: the setting `strategy`.
        env_file: an env file over the environment block's variables.
        watch: seconds for which the gates are read again afterwards; default: the setting `watch`.
        wait: seconds to wait while another run changes a droplet.
    """
    settings = Settings()
    if approval is not None:
        settings = settings.model_copy(update={"approval": approval})
    if watch is not None:
        settings = settings.model_copy(update={"watch": watch})
    name = stack_name(stack or settings.stack)
    with remembered(), open_switch(settings) as switch, ExitStack() as connections:
        load_environment(settings, name)
        sides, seen = load_sides(name, settings), read_switch(switch)
        colour, left = direction(seen.active, to, str(switch))
        candidate, active = sides[colour], sides[left] if left else None
        for droplet in candidate.droplets:
            connections.enter_context(connected(droplet))
        put = Put(tag, strategy or settings.strategy, env_file) if tag else None
        return Promotion(name, switch, seen, candidate, active, wait, settings).carry_out(put)
