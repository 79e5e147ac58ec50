"""Tells the plan of a deploy before its first change, and asks whoever sits at the terminal, where that is wanted."""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect.logging import get_run_logger

from blocks import Droplet
from flows.core.deploy.facts import Facts
from flows.core.deploy.plan.plan import DeployPlan, plan_mark
from flows.core.deploy.preflight import preflight_problems
from flows.core.errors import DeployDeclined, DropletNotReady, PlanOutdated
from flows.core.release.bundle import ReleaseFiles
from flows.core.release.release import Release
from flows.core.release.role import Role
from flows.core.steps import Step
from flows.settings import Settings, Strategy
from flows.tasks.deploy.planning import LookAhead, PreparedDeploy, current_release, look_at, plan_of
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.context import PLAN, Asking, extended_context, run_context
from flows.tasks.runs.declaration import task
from flows.tasks.runs.retries import RETRIED


@task(name=Step.PLAN.value, task_run_name="plan the deploy to {prepared.target.name}", timeout_seconds=120, **RETRIED)
def look_and_plan(prepared: PreparedDeploy, strategy: Strategy) -> DeployPlan:
    """The plan of a deploy, by one look at its droplet; nothing is changed there, and no lock is held.

    Raises:
        DropletNotReady: it cannot take the release.
        ForeignRecord, NewerRecord
    """
    ahead = LookAhead.of(prepared)
    with prepared.target.connected() as session:
        facts, standing = look_at(session, prepared, ahead)
        if against := preflight_problems(prepared.release, facts, current_release(facts)):
            tag = prepared.release.tag
            raise DropletNotReady(f"{session.address} cannot take release {tag}: {'; '.join(against)}")
    return plan_of(prepared, facts, standing, ahead, strategy)


def tell_plan(plan: DeployPlan) -> None:
    """Show the plan: in the terminal, in the run's log, and as an artifact."""
    rows: list[dict[str, object]] = [
        {"service": one.service, "becomes": one.becomes, "because": "; ".join(one.reasons)} for one in plan.services
    ]
    notes = [f"{note}." for note in plan.notes]
    table(f"deploy-plan-{plan.droplet}", rows, "\n\n".join((plan.sentence, plan.environment, *notes)))
    get_run_logger().info("%s", plan.sentence, extra={PLAN: plan})


def who_is_asked(settings: Settings) -> Asking | None:
    """Who is asked before a droplet is changed; None: nobody."""
    asking = run_context().asking
    wanted = asking is not None and (settings.confirm if asking.wanted is None else asking.wanted)
    return asking if wanted else None


@contextmanager
def confirmed(
    droplet: Droplet, release: Release, files: ReleaseFiles, *, role: Role, strategy: Strategy, env_file: str | None,
    settings: Settings,
) -> Iterator[None]:  # fmt: skip
    """Ask whether a deploy shall be done, where somebody can be asked and wants to be; a deploy inside
    knows the answer.

    To be opened while no lock is held.

    Raises:
        DeployDeclined
    """
    context, asking = run_context(), who_is_asked(settings)
    if asking is None or droplet.name in context.confirmed:
        yield
        return
    prepared = PreparedDeploy.of(droplet, release, files, role=role, env_file=env_file, settings=settings)
    plan = look_and_plan(prepared, strategy)
    tell_plan(plan)
    if not asking.ask(f"Put release {plan.tag} on {plan.droplet}?"):
        raise DeployDeclined(
            f"nobody said yes to release {plan.tag} on {plan.droplet}, and nothing was changed there. To put it there: "
            f"slipway deploy --tag {plan.tag} --droplet {plan.droplet}"
        )
    with extended_context(confirmed={**context.confirmed, droplet.name: plan.mark}):
        yield


def refuse_outdated(mark: str, facts: Facts, droplet: str) -> None:
    """Refuse a deploy whose plan is not true any more.

    Args:
        mark: of the plan that somebody said yes to; '' if nobody was asked.

    Raises:
        PlanOutdated
    """
    if mark and mark != plan_mark(facts.history):
        raise PlanOutdated(
            f"something else was put on {droplet} while you were asked, and nothing was changed by this run. What was "
            "put there: slipway history. Then run the same command again"
        )
