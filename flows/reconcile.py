"""reconcile: finish or undo what runs that ended in between have left on a droplet."""

import time
from dataclasses import replace

from prefect.logging import get_run_logger

from blocks.errors import OutsideError
from flows.core.control.events import RECONCILED, ROLLBACK_FAILED, ROLLED_BACK
from flows.core.deploy.deployed_state import DeployedState
from flows.core.deploy.preflight import missing_images
from flows.core.droplet.containers import orphan_containers
from flows.core.errors import RollbackFailed, SlipwayError, ValidationFailed
from flows.core.records.history import History
from flows.core.records.lifecycle import conclude, mark_deployed, open_record
from flows.core.records.measuring import pull_times
from flows.core.records.record import Record
from flows.core.records.recovery import RecoveryAction, plan_recovery
from flows.core.records.rollback_target import rollback_target
from flows.core.results import Reconciled, RolledBack, service_states
from flows.tasks.cloud.rehearsal import remove_left_best_effort
from flows.tasks.deploy.deployment import Deployment
from flows.tasks.deploy.readiness import wait_until_ready
from flows.tasks.deploy.steps import make_current, prove_digests, pull_images, remove_orphans, start_services
from flows.tasks.deploy.writable import compare_writable
from flows.tasks.droplet.lock import LockedSession
from flows.tasks.droplet.target import Target
from flows.tasks.insight.overview import keep_overview
from flows.tasks.prune.droplet import prune_best_effort
from flows.tasks.records.history import find_kept_release, keep_record, load_history
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.blocks import load_registry
from flows.tasks.runs.declaration import flow
from flows.tasks.runs.events import emit
from flows.tasks.runs.log_masking import mask
from flows.tasks.runs.measuring import measuring_anew
from flows.tasks.runs.run_info import mark_crashed, now, this_run
from flows.tasks.runs.server import run_as_flow_or_plain
from flows.tasks.stack.run_names import run_name
from flows.tasks.traffic.canary import take_back_best_effort
from flows.tasks.traffic.colours import read_state
from flows.tasks.traffic.edge.serving import serve
from flows.tasks.traffic.sleep import settle_sleep
from flows.tasks.trust.verification import check_kept_release
from flows.validate import validate, validate_droplet

NOTHING = "nothing to do"


@flow(name="reconcile", flow_run_name=run_name("put {stack} on {droplet} right"), overview=keep_overview)
def reconcile(stack: str | None = None, droplet: str | None = None, wait: float = 0.0) -> Reconciled:
    """Finish or undo whatever a killed, crashed or cancelled run left on a droplet. Where all is well, nothing changes.

    Args:
        stack: the stack's name, or its compose file; default: the setting `stack`.
        droplet: name of the Droplet block; default: the setting `droplet`.
        wait: seconds to wait while another run changes the droplet.
    """
    target = Target.resolve(stack=stack, droplet=droplet)
    settings = target.settings
    remove_left_best_effort(settings)
    with target.locked(f"reconciling {target.stack}", wait, settings.reconnect_timeout) as lock:
        taken_back = take_back_best_effort(target.name, settings)
        done = _recover(lock, target)
        prune_best_effort(lock, target.directory, settings)
    done = replace(done, done=f"{taken_back}; {done.done}") if taken_back else done
    if done.done != NOTHING:
        emit(RECONCILED, stack=target.whole, droplet=target.name, reason=f"{done.done}: {done.why}")
    return done


def _recover(lock: LockedSession, target: Target) -> Reconciled:
    history = load_history(lock, target.directory)
    state = read_state(lock, target) if history.records else None
    plan = plan_recovery(history, _differences(state) if state else [])
    if state and state.asleep and plan.action in (RecoveryAction.NOTHING, RecoveryAction.VALIDATE):
        done, why = settle_sleep(lock, target, state)
        get_run_logger().info("%s: %s", target.name, why)
        return Reconciled(target.name, done, why)
    get_run_logger().info("%s: %s", target.name, plan.why)
    if history.unfinished:
        mark_crashed(history.unfinished, "its process ended before the release was judged; reconcile put that right")
    if plan.record is None or plan.action is RecoveryAction.NOTHING:
        return Reconciled(target.name, NOTHING, plan.why)
    if plan.action is RecoveryAction.VALIDATE:
        try:
            validate(stack=target.stack, droplet=target.name)
            return Reconciled(target.name, f"release {plan.record.tag} passed, and is good", plan.why)
        except ValidationFailed as error:
            if not history.good():
                raise
            back = restore(lock, target, history, rollback_target(history, None), str(error))
            return Reconciled(target.name, f"rolled back to release {back.release.tag}", f"{plan.why}: {error}")
    back = restore(lock, target, history, plan.record, plan.why)
    return Reconciled(target.name, f"release {back.release.tag} runs, by digest, validated", plan.why)


def _differences(state: DeployedState) -> list[str]:
    """How what runs differs from the release that `current` leads to; ended services count, one-shots aside."""
    return list(state.wrong) if state.release else ["no release is current"]


def restore(lock: LockedSession, target: Target, history: History, record: Record, cause: str) -> RolledBack:
    """Put the release of a record in force, whatever runs now.

    Raises:
        RollbackFailed: it runs, and is not well either.
        NotVerified: it was not verified when it was put there, or is not what was verified.
    """
    began = time.monotonic()
    if history.unfinished:
        mark_crashed(history.unfinished, "its process ended before the release was judged; another run put that right")
    kept = find_kept_release(lock, target.directory, record)
    check_kept_release(record, kept.document, target.settings, target.name)
    deployment = Deployment(lock, target, kept.release, record.name)
    try:
        with deployment.at_work(), measuring_anew(target.name) as (measured, failed):
            pulled = []
            if missing_images(kept.release, kept.present):
                pulled = pull_images(deployment, kept.present, load_registry(target.settings))
            mine, left = open_record(
                history, kept.release, record.name,
                kind="rollback", environment=record.environment, run=this_run(), now=now(), reason=cause,
                verified=record.verified, unverified=record.unverified,
            )  # fmt: skip
            measured.number = mine.number
            left = [failed.kept_in(old) if failed and failed.number == old.number else old for old in left]
            kept_files = make_current(deployment, [mine, *left], compare_writable(deployment, None, None))
            if orphans := orphan_containers(kept.containers, kept.stack.services):
                remove_orphans(deployment, orphans)
            start_services(deployment)
            running = wait_until_ready(deployment, kept.stack)
            prove_digests(deployment, kept.stack, running)
            if colour := deployment.colour_beside:
                serve(lock, target.directory.directory, kept.release, colour)
            healthy = time.monotonic() - began
            pulls = pull_times(kept.release, None, measured.pulled)
            measured.note(restored_seconds=round(healthy, 3), committed=kept.release.committed, pulls=pulls)
            keep_record(lock, target.directory, [measured.kept_in(mark_deployed(mine, now()))])
            validated = run_as_flow_or_plain(
                lambda: validate(stack=target.stack, droplet=target.name),
                lambda: validate_droplet(target),
            )
    except (SlipwayError, OutsideError) as error:
        raise _rollback_failed(error, lock, target, kept.release.tag) from error
    replaced = history.deployed()
    back = RolledBack(
        droplet=target.name,
        release=kept.release,
        replaced=replaced.tag if replaced else None,
        services=service_states(running.containers, running.digests),
        pulled=tuple(pulled),
        validated=validated,
        healthy_after=healthy,
        seconds=time.monotonic() - began,
        kept=kept_files,
    )
    rows: list[dict[str, object]] = [{"service": n, **state.as_json()} for n, state in back.services.items()]
    table(f"rollback-{back.droplet}", rows, f"Release {back.release.tag} runs on {back.droplet} again")
    tag, before = back.release.tag, back.replaced or ""
    said = {"stack": target.whole, "droplet": target.name, "colour": target.colour}
    emit(ROLLED_BACK, tag=tag, previous=before, reason=cause, **said)
    return back


def _rollback_failed(error: Exception, lock: LockedSession, target: Target, tag: str) -> RollbackFailed:
    """The error to raise; the record says so too, if the droplet can still be written to."""
    words = mask(str(error))
    try:
        history = load_history(lock, target.directory)
        if history.unfinished and history.unfinished.kind == "rollback":
            keep_record(lock, target.directory, conclude(history, history.unfinished, now(), words))
    except (SlipwayError, OutsideError):
        pass  # the record stays unfinished, and the next run finishes it
    said = {"stack": target.whole, "droplet": target.name, "colour": target.colour}
    emit(ROLLBACK_FAILED, tag=tag, reason=words, **said)
    kind = "is not well either" if isinstance(error, ValidationFailed) else "could not be put in force again"
    return RollbackFailed(
        f"release {tag} on {lock.address} {kind}: {type(error).__name__}: {words}\n"
        "What stands there: slipway status, slipway debug-agent. To try once more: slipway reconcile"
    )
