"""reconcile: finish or undo what runs that ended in between have left on a droplet."""

from prefect import flow
from prefect.logging import get_run_logger

from blocks import Droplet
from flows.core.bookkeeping import Mending, mend
from flows.core.errors import ValidationFailed
from flows.core.layout import Home
from flows.core.outcome import Reconciled
from flows.core.record import rollback_target
from flows.core.standing import read_standing, standing_script
from flows.names import run_name
from flows.rollback import restore
from flows.settings import Settings
from flows.tasks.connection import QUICK, connected
from flows.tasks.history import read_history
from flows.tasks.lock import Held, locked
from flows.tasks.prune import prune_willingly
from flows.tasks.rehearsal import tidy_left
from flows.tasks.runs import mark_crashed
from flows.tasks.saved import load_droplet
from flows.tasks.source import stack_name
from flows.validate import validate


@flow(name="reconcile", flow_run_name=run_name("put {stack} on {droplet} right"))
def reconcile(stack: str | None = None, droplet: str | None = None, wait: float = 0.0) -> Reconciled:
    """Finish or undo whatever a killed, crashed or cancelled run left on a droplet. Where all is well, nothing changes.

    Args:
        stack: the stack's name, or its compose file; default: the setting `stack`.
        droplet: name of the Droplet block; default: the setting `droplet`.
        wait: seconds to wait while another run changes the droplet.
    """
    settings = Settings()
    target = load_droplet(droplet or settings.droplet)
    home = Home(target.directory, stack_name(stack or settings.stack))
    tidy_left(settings)
    with (
        connected(target, settings.reconnect_timeout) as session,
        locked(session, target.directory, f"reconciling {home.stack}", wait) as lock,
    ):
        done = _mend(lock, home, target, settings)
        prune_willingly(lock, home, settings)
    return done


def _mend(lock: Held, home: Home, target: Droplet, settings: Settings) -> Reconciled:
    history = read_history(lock, home)
    plan = mend(history, _wrong(lock, home) if history.records else [])
    get_run_logger().info("%s: %s", target.name, plan.why)
    if history.unfinished:
        mark_crashed(history.unfinished, "its process ended before the release was judged; reconcile put that right")
    if plan.mending is Mending.VALIDATE:
        try:
            validate(home.stack, target.name)
            return Reconciled(
                target.name, f"release {plan.record.tag if plan.record else ''} passed, and is good", plan.why
            )
        except ValidationFailed as error:
            if not history.good():
                raise
            back = restore(lock, home, history, rollback_target(history, None), str(error), target, settings)
            return Reconciled(target.name, f"rolled back to release {back.release.tag}", f"{plan.why}: {error}")
    if plan.record is None or plan.mending is Mending.NOTHING:
        return Reconciled(target.name, "nothing to do", plan.why)
    back = restore(lock, home, history, plan.record, plan.why, target, settings)
    return Reconciled(target.name, f"release {back.release.tag} runs, by digest, validated", plan.why)


def _wrong(lock: Held, home: Home) -> list[str]:
    """How what runs differs from the release that `current` leads to; ended services count, one-shots aside."""
    standing = read_standing(lock.run(standing_script(home), timeout=QUICK).out, home, lock.address.name)
    return list(standing.wrong) if standing.release else ["no release is current"]
