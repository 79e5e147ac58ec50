"""adopt: what runs as a plain Compose project goes over to two colours and a data home, and back."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from prefect.logging import get_logger

from blocks import TrafficSwitch
from blocks.errors import OutsideError
from flows.core.control.events import ADOPTED
from flows.core.errors import ConflictingOptions, PlanChanged, SlipwayError
from flows.core.release.role import Role, refuse_release
from flows.core.results import Adopted
from flows.core.traffic.adoption.marker import AdoptionStep
from flows.core.traffic.adoption.plan import AdoptionPlan, adoption_question, removal_question
from flows.core.traffic.promotion_plan import refuse_undeclared_states
from flows.deploy import deploy_release
from flows.hooks import undo_adoption_after_crash
from flows.rollback import rollback_on_failure
from flows.settings import Approval, Settings
from flows.switch_back import move_traffic
from flows.tasks.deploy.pull import pull_ahead
from flows.tasks.droplet.lock import LockedSession
from flows.tasks.droplet.target import Target
from flows.tasks.insight.overview import keep_overview
from flows.tasks.release.fetch import FetchedRelease, fetch_release
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.blocks import block_cache, load_environment, load_registry
from flows.tasks.runs.declaration import flow
from flows.tasks.runs.events import emit
from flows.tasks.stack.project import stack_name
from flows.tasks.stack.run_names import run_name
from flows.tasks.traffic.adoption import (
    adopting_target,
    copy_state,
    find_marker,
    finished_marker,
    keep_marker,
    make_adoption_plan,
    read_old_project,
    refuse_changed_project,
    remove_old_project,
    stop_old_project,
    undo_adoption,
    undo_in_words,
)
from flows.tasks.traffic.approval import approval_mode, ask_for_approval
from flows.tasks.traffic.colours import ColourDroplets, load_colours, read_states
from flows.tasks.traffic.switch import finish_switch, open_switch, prepare_switch, probe_switch, read_switch
from flows.validate import validate


@flow(
    name="adopt",
    flow_run_name=run_name("adopt {stack}"),
    overview=keep_overview,
    on_crashed=[undo_adoption_after_crash],
    on_cancellation=[undo_adoption_after_crash],
)
def adopt(
    tag: str | None = None,
    stack: str | None = None,
    project: str | None = None,
    approval: Approval = "always",
    env_file: str | None = None,
    wait: float = 0.0,
    digest: str | None = None,
    undo: bool = False,
    finish: bool = False,
) -> Adopted:
    """Take what runs as a plain Compose project on one droplet over to two colours and a data home behind the edge.

    Any failure brings the project back as it was. Adopting twice changes nothing.

    Args:
        tag: tag of a published release of the stack.
        stack: the stack's name, or its compose file; default: the setting `stack`.
        project: name of the Compose project; default: the stack's name.
        approval: never: nobody is asked; else a person is. Through the API, the setting counts where it is stricter.
        env_file: an env file over the environment block's variables.
        wait: seconds to wait while another run changes the droplet.
        digest: of the release as it was published (`sha256:…`): what its tag means meanwhile is not asked then.
        undo: undo an adoption instead: the new projects are stopped, the old one started as it was.
        finish: remove the old project's containers and networks instead, after a person said yes.

    Raises:
        CannotAdopt: with all that stands against it; nothing was changed.
        NotApproved: a person said no, or nobody answered.
        NotUndone: not all that ran before runs again.
    """
    settings = Settings()
    name = stack_name(stack or settings.stack)
    if not settings.shared_droplet:
        raise ConflictingOptions(
            "each colour has a droplet of its own. To adopt what runs on one droplet, name it for both colours and the "
            "data home: SLIPWAY_ONE_DROPLET=NAME. docs/ONE_DROPLET.md"
        )
    if undo + finish + bool(tag) != 1:
        raise ConflictingOptions("say one of these: the release to adopt with (--tag TAG), --undo, or --finish")
    asks = approval_mode(approval, settings) != "never"
    with block_cache():
        load_environment(settings, name)
        home = adopting_target(name, settings)
        if undo:
            return _undo(home, wait)
        if finish:
            return _finish(home, asks, wait)
        with open_switch(settings) as switch:
            return _adopt(home, switch, project or name, tag or "", digest, env_file, asks, wait)


def _adopt(
    home: Target, switch: TrafficSwitch, project: str, tag: str, digest: str | None, env_file: str | None, asks: bool,
    wait: float,
) -> Adopted:  # fmt: skip
    began, settings, stack = time.monotonic(), home.settings, home.whole
    with home.connected() as session:
        marker = find_marker(session, home)
    if marker and marker.finished:
        return _nothing(home, marker.project, f"is adopted already, as release {marker.tag}", began)
    if marker and (undone := undo_adoption(home, wait, unfinished=True)):
        get_logger("slipway.hooks").warning("an adoption was cut after '%s': %s", undone[0].step, undone[1])
    green = load_colours(stack, settings)["green"]
    with home.connected() as session:
        found = read_old_project(session, home, project)
        if not found.running and f"{stack}-green" in found.neighbours:
            return _nothing(home, project, "does not run: the stack runs in two colours already", began)
        fetched = fetch_release(
            stack, tag, load_registry(settings), settings, droplets=[home.name, *settings.green], digest=digest
        )
        refuse_release(fetched.release, settings.home)
        plan = make_adoption_plan(session, home, found, fetched.release)
    table(f"adoption-{stack}", plan.rows(), plan.sentence)
    if asks:
        question = adoption_question(plan, settings.approval_timeout / 60)
        ask_for_approval(question, plan.sentence, settings.approval_timeout, stack=stack, tag=tag)
    with home.locked(f"adoption of {stack} {tag}", wait) as lock:
        refuse_changed_project(lock, home, plan, fetched.release)
        pull_ahead(lock, fetched.release, load_registry(settings), settings)
        away = Adoption(home, green, switch, fetched, env_file, wait).carry_out(lock, plan)
    emit(ADOPTED, stack=stack, tag=tag, droplet=home.droplet.block)
    place, took = home.droplet.block, time.monotonic() - began
    return Adopted(place, stack, project, "adopted", tag, tuple(plan.rows()), tuple(plan.said()), away, took)


@dataclass(frozen=True)
class Adoption:
    """One adoption: the places that the project goes over to, and the release that it becomes."""

    home: Target
    green: ColourDroplets
    switch: TrafficSwitch
    fetched: FetchedRelease
    env_file: str | None
    wait: float

    def carry_out(self, lock: LockedSession, plan: AdoptionPlan) -> float:
        """Take every step, and note each; whatever fails, the project runs as before afterwards.

        Returns:
            Seconds for which nobody was served.
        """
        marker = plan.marker(self.fetched.digest, self.fetched.release.home)
        steps: tuple[tuple[AdoptionStep, Callable[[], object]], ...] = (
            ("stopped", lambda: stop_old_project(lock, self.home, marker)),
            ("copied", lambda: copy_state(lock, self.home, marker)),
            ("home", self._deploy_home),
            ("green", self._deploy_green),
            ("adopted", self._turn),
        )
        try:
            keep_marker(lock, self.home, marker)
            began = time.monotonic()
            for step, work in steps:
                work()
                keep_marker(lock, self.home, marker.at(step))
        except Exception as error:
            get_logger("slipway.hooks").error("✗ %s: %s", type(error).__name__, str(error).partition("\n")[0])
            story = undo_in_words(self.home, self.home.settings.lock_patience)
            (error.add_story if isinstance(error, (SlipwayError, OutsideError)) else error.add_note)(story)
            raise
        return time.monotonic() - began

    def _deploy_home(self) -> None:
        if self.fetched.release.home:
            self._deploy(self.home, "home")

    def _deploy_green(self) -> None:
        for target in self.green.targets:
            self._deploy(target, self.home.settings.role(target.name))
        refuse_undeclared_states(read_states(self.green), self.home.settings.home)

    def _deploy(self, target: Target, role: Role) -> None:
        with rollback_on_failure(target) as guard:
            deploy_release(
                target.droplet, self.fetched, role=role, strategy=target.settings.strategy, env_file=self.env_file,
                wait=self.wait, settings=target.settings,
            )  # fmt: skip
            guard.armed = True
            validate(stack=self.home.whole, droplet=target.name)

    def _turn(self) -> None:
        """Traffic goes to green, and is answered there."""
        settings = self.home.settings
        try:
            prepare_switch(self.switch)
            seen = read_switch(self.switch)
            if seen.active == (self.green.colour,):
                probe_switch(self.switch, self.green.colour, max(settings.switch_timeout, self.switch.max_seconds))
            else:
                move_traffic(self.switch, self.green, None, seen, f"adopting {self.fetched.release.tag}", settings)
        finally:
            finish_switch(self.switch)


def _undo(home: Target, wait: float) -> Adopted:
    began = time.monotonic()
    if (undone := undo_adoption(home, wait)) is None:
        return _nothing(home, home.whole, "was not adopted, or that is finished", began)
    (marker, words), seconds = undone, time.monotonic() - began
    return Adopted(home.droplet.block, home.whole, marker.project, "undone", notes=(words,), seconds=seconds)


def _finish(home: Target, asks: bool, wait: float) -> Adopted:
    """Remove what is left of the old project.

    Raises:
        CannotAdopt: its adoption did not come to its end, or some of it runs.
    """
    began, settings = time.monotonic(), home.settings
    with home.connected() as session:
        marker = finished_marker(session, home)
    if marker is None:
        return _nothing(home, home.whole, "has nothing left to remove", began)
    if asks:
        question = removal_question(marker, settings.approval_timeout / 60)
        asked = f"removal of project {marker.project}"
        ask_for_approval(question, asked, settings.approval_timeout, stack=home.whole)
    with home.locked(f"removal of {marker.project}", wait) as lock:
        if finished_marker(lock, home) != marker:
            raise PlanChanged("the adoption is not as it was when it was asked about. Nothing was changed. Ask again")
        notes = remove_old_project(lock, home, marker)
    seconds = time.monotonic() - began
    return Adopted(home.droplet.block, home.whole, marker.project, "finished", notes=notes, seconds=seconds)


def _nothing(home: Target, project: str, why: str, began: float) -> Adopted:
    words = f"{project} {why}. Nothing was changed"
    return Adopted(home.droplet.block, home.whole, project, "nothing", notes=(words,), seconds=time.monotonic() - began)
