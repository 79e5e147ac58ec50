"""Whether a colour may be put to sleep, and what of it is started again."""

from collections.abc import Collection, Sequence

from flows.core.deploy.deployed_state import DeployedState
from flows.core.stack.stack import Stack
from flows.core.traffic.colours import other


def why_awake(colour: str, active: Sequence[str], seen: Collection[str], states: Sequence[DeployedState]) -> str:
    """Why a colour is not put to sleep, in words; '' when it may be.

    Args:
        active: the colours that the switch points at now.
        seen: the marks of what was decided by (`DeployedState.mark`).
        states: what its droplets carry now.
    """
    if tuple(active) != (other(colour),):
        return f"the switch points at {' and '.join(active) or 'no colour'}"
    for state in states:
        if state.release is None or state.record is None or state.stack is None:
            return f"{state.droplet} carries no release"
        if state.mark not in seen:
            return f"{state.droplet} carries release {state.record.tag} of record {state.record.number} by now"
    return ""


def services_to_wake(stack: Stack, slept: Collection[str]) -> list[str]:
    """The services that are started again: those that ran, and those that shall always run.

    One-shots that had ended are left as they are, as by a reboot of the droplet: the migration of an older release has
    no business with the data of a newer one.

    Args:
        slept: what ran when it was put to sleep.
    """
    shall_run = {name for name, service in stack.services.items() if service.replicas and name not in stack.one_shots}
    return sorted(shall_run | (set(slept) & stack.services.keys()))
