"""Steps of an adoption: a plain project is read, stopped and copied; and how all is undone, by its marker."""

import time
from collections.abc import Sequence

from prefect.logging import get_logger

from blocks.errors import OutsideError
from blocks.polling import until
from blocks.ssh.shell import RemoteShell
from flows.core.droplet.places import block_of, place
from flows.core.errors import CannotAdopt, NotUndone, PlanChanged, SlipwayError
from flows.core.release.release import Release
from flows.core.release.role import PARTS, part_stack
from flows.core.traffic.adoption.copying import copy_script, look_at_copied_script, read_aside, read_copied
from flows.core.traffic.adoption.marker import (
    AdoptionMarker,
    drop_marker_script,
    keep_marker_script,
    marker_script,
    read_adoption_marker,
)
from flows.core.traffic.adoption.plan import AdoptionPlan, plan_adoption, with_sizes
from flows.core.traffic.adoption.project import OldProject, project_script, read_project
from flows.core.traffic.adoption.refusals import refuse_adoption
from flows.core.traffic.adoption.scripts import (
    edge_script,
    finish_script,
    lines_of,
    read_old_states,
    remove_stopped_script,
    restore_script,
    states_script,
    stop_old_script,
    stop_projects_script,
)
from flows.settings import Settings
from flows.tasks.droplet.connection import QUICK
from flows.tasks.droplet.lock import LockedSession
from flows.tasks.droplet.target import Target
from flows.tasks.runs.blocks import load_droplet
from flows.tasks.runs.declaration import task
from flows.tasks.runs.log_masking import mask
from flows.tasks.runs.retries import ONCE, RETRIED
from flows.tasks.traffic.edge.sites import remove_site

_PAUSE = 0.5
# Seconds for a look at the sizes of what is copied.
_SIZES = 300.0


def parts_of(stack: str) -> tuple[str, ...]:
    """The projects that a stack consists of on one droplet."""
    return tuple(part_stack(stack, part) for part in PARTS)


def adopting_target(stack: str, settings: Settings) -> Target:
    """The data home's place on the droplet that both colours share: an adoption is noted there.

    Raises:
        BlockMissing
    """
    return Target.of(load_droplet(place(settings.shared_droplet, "home")), stack, settings)


@task(name="read the project", task_run_name="read what runs as {project}", timeout_seconds=120, **RETRIED)
def read_old_project(session: RemoteShell, target: Target, project: str) -> OldProject:
    """What runs as a project on the droplet; nothing is changed."""
    parts = parts_of(target.whole)
    return read_project(session.run(project_script(project, parts), timeout=QUICK).out, project, parts)


@task(name="plan the adoption", task_run_name="plan the adoption of {project.name}", timeout_seconds=600, **RETRIED)
def make_adoption_plan(session: RemoteShell, target: Target, project: OldProject, release: Release) -> AdoptionPlan:
    """Plan the adoption of a project; nothing is changed.

    Raises:
        CannotAdopt
    """
    droplet, parts = block_of(target.name), parts_of(target.whole)
    if release.home and target.settings.home != target.name:
        raise CannotAdopt(
            f"the data home is {target.settings.home}, and what project {project.name} keeps is on {droplet}. Nothing "
            f"was changed. Set the data home there: SLIPWAY_HOME={droplet}"
        )
    refuse_adoption(droplet, project, release, parts)
    plan = plan_adoption(droplet, project, release)
    if not plan.copied:
        return plan
    said = session.run(look_at_copied_script(target.directory.directory, plan.copied), timeout=_SIZES).out
    found = read_copied(said, plan.copied)
    refuse_adoption(droplet, project, release, parts, found)
    return with_sizes(plan, [one.size for one in found])


def refuse_changed_project(lock: LockedSession, target: Target, plan: AdoptionPlan, release: Release) -> None:
    """Refuse to carry out what was approved of a project that is another one by now.

    Raises:
        PlanChanged, CannotAdopt
    """
    now = make_adoption_plan(lock, target, read_old_project(lock, target, plan.project.name), release)
    if now.mark != plan.mark or find_marker(lock, target):
        raise PlanChanged(
            f"project {plan.project.name} is not as it was when its adoption was planned. Nothing was changed. Plan it "
            f"again: slipway adopt --tag {plan.tag}"
        )


def find_marker(session: RemoteShell, target: Target) -> AdoptionMarker | None:
    """The marker of an adoption of this stack, where there is one."""
    return read_adoption_marker(session.run(marker_script(target.directory.directory, target.whole), timeout=QUICK).out)


def keep_marker(lock: LockedSession, target: Target, marker: AdoptionMarker) -> None:
    """Write how far the adoption is."""
    script = keep_marker_script(target.directory.directory, target.whole)
    lock.run(script, timeout=QUICK, stdin=marker.document())


@task(name="stop the project", task_run_name="stop what runs as {marker.project}", **ONCE)
def stop_old_project(lock: LockedSession, target: Target, marker: AdoptionMarker) -> None:
    """Stop the old containers, and keep them; what an adoption before left stopped of the new projects goes."""
    lock.run(remove_stopped_script(parts_of(target.whole)), timeout=QUICK)
    lock.run(stop_old_script(marker), timeout=target.settings.start_timeout)
    if marker.edge:
        lock.run(edge_script("restart"), timeout=target.settings.start_timeout)


@task(name="copy state", task_run_name="copy what services of the data home write to", **ONCE)
def copy_state(lock: LockedSession, target: Target, marker: AdoptionMarker) -> None:
    """Copy directories that services of the data home write to, with owners and times."""
    if not marker.copied:
        return
    said = lock.run(copy_script(target.directory, marker.copied), timeout=target.settings.pull_timeout).out
    for words in read_aside(said, marker.copied):
        get_logger("slipway.hooks").warning("%s", words)


def undo_adoption(target: Target, wait: float = 0.0, *, unfinished: bool = False) -> tuple[AdoptionMarker, str] | None:
    """Undo what the marker on the droplet says; returns it with words on what was done, None where there is no marker.

    The new projects' containers are stopped, the old ones started as they were. It may run twice.

    Args:
        unfinished: only where the adoption did not come to its end.

    Raises:
        NotUndone: not all that ran before runs again; the marker stays.
        DropletBusy, and what opening the droplet raises.
    """
    settings, began = target.settings, time.monotonic()
    with target.locked(f"undoing the adoption of {target.whole}", wait, settings.reconnect_timeout) as lock:
        marker = find_marker(lock, target)
        if marker is None or (unfinished and marker.finished):
            return None
        lock.run(stop_projects_script(parts_of(target.whole)), timeout=settings.start_timeout)
        if marker.edge:
            lock.run(edge_script("stop"), timeout=settings.start_timeout)
        script = restore_script(marker, parts_of(target.whole))
        gone = lines_of(lock.run(script, timeout=settings.start_timeout).out, "gone")
        _stop_serving(lock, target)
        _wait_for_old(lock, target, marker, gone)
        lock.run(drop_marker_script(target.directory.directory, target.whole), timeout=QUICK)
    seconds = time.monotonic() - began
    words = f"Project {marker.project} runs again as before, {seconds:.1f} s after that was decided"
    left = [f"{path.place} in {target.directory.shared}" for path in marker.copied]
    if left and marker.finished:
        words += f". What was written since to {', '.join(left)} stays there: the project goes on with its own"
    return marker, words


def _stop_serving(lock: LockedSession, target: Target) -> None:
    """The edge serves nothing of the stack any more: its colours are stopped. Whatever fails is only told."""
    try:
        remove_site.fn(lock, target.directory.directory, target.whole)
    except (SlipwayError, OutsideError) as error:
        get_logger("slipway.hooks").warning("the edge is still told to serve %s: %s", target.whole, mask(str(error)))


def undo_in_words(target: Target, wait: float) -> str:
    """Undo an adoption after a failure; what came of it, in words."""
    try:
        undone = undo_adoption(target, wait)
    except Exception as error:  # whatever it is: the error that is reported is the one that happened before
        return (
            f"Undoing it did not succeed either: {type(error).__name__}: {mask(str(error))}\n"
            "When the droplet can be reached again: slipway adopt --undo"
        )
    return f"{undone[1]}." if undone else "Nothing was changed yet."


@task(name="remove the old project", task_run_name="remove the containers of {marker.project}", **ONCE)
def remove_old_project(lock: LockedSession, target: Target, marker: AdoptionMarker) -> tuple[str, ...]:
    """Remove the old containers and their networks; returns what stays, in words."""
    said = lock.run(finish_script(marker), timeout=target.settings.start_timeout).out
    stays = [f"container {name} stays: it could not be removed" for name in lines_of(said, "left")]
    if not stays:
        lock.run(drop_marker_script(target.directory.directory, target.whole), timeout=QUICK)
    return (*stays, *(f"network {name} stays: something uses it" for name in lines_of(said, "network")))


def finished_marker(session: RemoteShell, target: Target) -> AdoptionMarker | None:
    """The marker of an adoption whose old containers may go; None: there is none.

    Raises:
        CannotAdopt: it did not come to its end, or some of them run.
    """
    marker = find_marker(session, target)
    if marker is None:
        return None
    if not marker.finished:
        raise CannotAdopt(
            f"the adoption of {marker.project} was cut after '{marker.step}', so its old containers are still needed. "
            "Nothing was changed. Undo it: slipway adopt --undo"
        )
    states = read_old_states(session.run(states_script(marker.containers), timeout=QUICK).out)
    if running := [one.name for one in marker.containers if states.get(one.id, ("", ""))[0] == "running"]:
        raise CannotAdopt(
            f"{', '.join(running)} of project {marker.project} runs. Nothing was changed. Find out who started it; "
            "docker stop it, or undo the adoption: slipway adopt --undo"
        )
    return marker


def _wait_for_old(lock: LockedSession, target: Target, marker: AdoptionMarker, gone: Sequence[str]) -> None:
    """Wait until all runs that ran; one that says it is unwell runs, too.

    Raises:
        NotUndone
    """

    def waiting() -> dict[str, str]:
        states = read_old_states(lock.run(states_script(marker.ran), timeout=QUICK).out)
        now = {one.name: states.get(one.id, ("gone", "none")) for one in marker.ran if one.name not in gone}
        return {n: f"{s}, {h}" if h != "none" else s for n, (s, h) in now.items() if s != "running" or h == "starting"}

    left = until(waiting, lambda found: not found, target.settings.start_timeout, pause=_PAUSE, longest=5.0)
    lost = [one.name for one in marker.ran if one.name in gone]
    if not left and not lost:
        return
    said = [*(f"{name} is {state}" for name, state in left.items()), *(f"{name} was removed" for name in lost)]
    raise NotUndone(
        f"{lock.address}: of project {marker.project} {'; '.join(said)}. All others run as before. "
        "Start the project as it was started at first (docker compose up -d), then: slipway adopt --undo"
    )
