"""rehearse: a whole promotion on a droplet that is there for an hour: snapshot, provision, deploy, gates, switch, load,
and away with it."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prefect import runtime
from prefect.logging import get_run_logger

from blocks.errors import OutsideError
from flows.core.cloud.costs import Cost, cost_lines, droplet_cost, snapshot_cost
from flows.core.cloud.rehearsal import Load, Rehearsed, StepTiming, summarise_load
from flows.core.errors import NothingDeployed, RehearsalFailed, SlipwayError
from flows.core.gates.verdict import Verdict
from flows.core.insight.stability.condition import Stability
from flows.core.traffic.colours import other
from flows.decommission import decommission
from flows.deploy import deploy_release
from flows.gates import read_gates
from flows.hooks import remove_failed_rehearsal
from flows.provision import provision
from flows.settings import Approval, Settings
from flows.snapshot import snapshot
from flows.tasks.cloud.rehearsal import (
    rehearsal_colour,
    rehearsal_leftovers,
    rehearsal_lock,
    rehearsal_switch,
    rehearsal_tags,
    remove_left,
)
from flows.tasks.droplet.target import Target
from flows.tasks.release.fetch import FetchedRelease, fetch_release
from flows.tasks.runs.artifacts import page
from flows.tasks.runs.blocks import block_cache, load_account, load_droplet, load_environment, load_registry
from flows.tasks.runs.declaration import flow
from flows.tasks.runs.log_masking import mask
from flows.tasks.runs.reports import reports_directory, write_report
from flows.tasks.stack.project import stack_name
from flows.tasks.stack.run_names import run_name
from flows.tasks.traffic.approval import approval_mode, ask_for_approval
from flows.tasks.traffic.colours import ColourDroplets, read_states
from flows.tasks.traffic.stability import active_stability
from flows.tasks.traffic.switch import open_switch, probe_switch, read_switch, switch_to
from flows.validate import validate


@flow(
    name="rehearse",
    flow_run_name=run_name("rehearse a promotion of {stack}"),
    on_failure=[remove_failed_rehearsal],
    on_crashed=[remove_failed_rehearsal],
    on_cancellation=[remove_failed_rehearsal],
)
def rehearse(stack: str | None = None, force: bool = False, approval: Approval | None = None) -> Rehearsed:
    """Play a promotion of the active release on a droplet made for it, and report times, cost and every deviation.

    It begins only when the active release has been stable for long enough (settings `rehearse_…`), and says why it does
    not begin otherwise. What an earlier rehearsal left is removed first; nothing of this one is left.

    Args:
        stack: the stack's name, or its compose file; default: the setting `stack`.
        force: begin whatever the release records say.
        approval: never: nobody is asked; otherwise a person is, because it costs. Default: the setting.
            Through the API, the stricter of both.

    Raises:
        RehearsalFailed: it did not hold; with the report.
    """
    settings, log = Settings(), get_run_logger()
    name = stack_name(stack or settings.stack)
    with block_cache():
        load_environment(settings, name)
        reports_directory(settings.reports)
        for words in remove_left(settings):
            log.warning("an earlier rehearsal left %s; it is removed", words)
        like, stability = _active(name, settings)
        if not stability.stable and not force:
            return _publish_report(
                Rehearsed(name, stability.release, stability, skipped="; ".join(stability.reasons)), settings
            )
        # Once: what is approved is what is put there, however long the answer and the new droplet take.
        fetched = fetch_release(
            name, stability.release, load_registry(settings), settings, droplets=[settings.rehearsal_droplet]
        )
        costs = _costs(like, settings)
        if approval_mode(approval, settings) != "never":
            what = f"A rehearsal of {name} {stability.release}, like {like}"
            question = f"### {what}\n\n{cost_lines(costs)}\n\nIt is removed at its end."
            ask_for_approval(question, f"rehearsal of {name}", settings.approval_timeout, stack=name)
        with rehearsal_lock(load_droplet(like)):
            return _Rehearsal(name, like, stability, fetched, costs, settings).play()


class _Rehearsal:
    """One rehearsal under way."""

    def __init__(
        self,
        stack: str,
        like: str,
        stability: Stability,
        fetched: FetchedRelease,
        costs: list[Cost],
        settings: Settings,
    ) -> None:
        self.stack, self.like, self.stability, self.fetched = stack, like, stability, fetched
        self.costs, self.settings = costs, settings
        self.droplet = settings.rehearsal_droplet
        self.took: list[StepTiming] = []
        self.deviations: list[str] = []
        self.load: Load | None = None

    def play(self) -> Rehearsed:
        began, failed = time.monotonic(), ""
        run = str(runtime.flow_run.id)
        tags = rehearsal_tags(run, self.like)
        try:
            with self._step("snapshot") as found:
                taken = snapshot(droplet=self.like, stack=self.stack, tags=tags).snapshot
                assert taken is not None
                found.append(taken.name)
            with self._step("provision") as found:
                made = provision(name=self.droplet, like=self.like, image=taken.id, approval="never", tags=tags)
                found.append(f"{made.address}, {made.engine}")
            self._prove()
            if self.settings.rehearsal_switch:
                self._switch()
            else:
                self.deviations.append("no rehearsal_switch is set: no traffic was moved")
        except (SlipwayError, OutsideError) as error:
            failed = mask(f"{type(error).__name__}: {error}")
            self.deviations.append(failed)
        with self._step("decommission") as found:
            decommission(name=self.droplet, approval="never")
            found.extend(remove_left(self.settings, mine=run))
        report = Rehearsed(
            self.stack, self.stability.release, self.stability, "", tuple(self.took), self.load, tuple(self.costs),
            (time.monotonic() - began) / 3600, tuple(self.deviations), tuple(rehearsal_leftovers(self.settings)),
        )  # fmt: skip
        _publish_report(report, self.settings)
        if failed:
            raise RehearsalFailed(f"{report.sentence} {failed}")
        return report

    def _prove(self) -> None:
        target = Target.of(load_droplet(self.droplet), self.stack, self.settings)
        with self._step("deploy") as found:
            deploy_release(
                target.droplet, self.fetched, role="colour" if self.settings.home else "all",
                strategy=self.settings.strategy, env_file=None, wait=0.0, settings=self.settings,
            )  # fmt: skip
            validate(stack=self.stack, droplet=self.droplet)
            found.append(self.stability.release)
        with self._step("gates") as found:
            # Its metrics and traces are nobody's: what it answers is what counts.
            own = self.settings.model_copy(update={"prometheus": "", "langfuse": ""})
            colour = ColourDroplets("rehearsal", self.stack, (target,))
            said = read_gates(colour, None, read_states(colour), [], 0.0, own)
            found.append(said.words or "every gate passed")
            if said.verdict is Verdict.FAIL:
                raise RehearsalFailed(f"the gates of the rehearsal failed: {said.words}")

    def _switch(self) -> None:
        """There, under load, and back."""
        with open_switch(rehearsal_switch(self.settings)) as switch:
            colour = rehearsal_colour(switch, self.droplet)
            switch.prepare(get_run_logger().info)
            for to in (colour, other(colour)):
                with self._step(f"switch to {'the rehearsal' if to == colour else 'what was'}") as found:
                    switch_to(switch, to, read_switch(switch), "a rehearsal", self.settings.switch_timeout)
                    patience = max(self.settings.switch_timeout, switch.max_seconds)
                    found.append(probe_switch(switch, to, patience).detail)
                if to == colour:
                    with self._step("load") as found:
                        self.load = self._load(switch)
                        found.append(f"{self.load.requests} requests, {self.load.failed} failed")
                    if self.load.failed:
                        self.deviations.append(f"{self.load.failed} of {self.load.requests} requests failed")
            switch.finish()

    def _load(self, switch: Any) -> Load:
        answers = []
        for _ in range(self.settings.rehearsal_requests):
            began = time.monotonic()
            well = switch.probe().well
            answers.append((well, time.monotonic() - began))
        return summarise_load(answers)

    @contextmanager
    def _step(self, name: str) -> Iterator[list[str]]:
        began, found = time.monotonic(), list[str]()
        try:
            yield found
        finally:
            self.took.append(StepTiming(name, time.monotonic() - began, "; ".join(found)))
            get_run_logger().info("%s took %.1f s. %s", name, self.took[-1].seconds, self.took[-1].found)


def _active(stack: str, settings: Settings) -> tuple[str, Stability]:
    """The droplet to be like, and how stable the active colour was."""
    names: tuple[str, ...] = (settings.deployed_to,)
    if settings.switch:
        with open_switch(settings) as switch:
            active = read_switch(switch).active
            names = settings.colours.droplets(active[0]) if len(active) == 1 else names
    targets = [Target.of(load_droplet(name), stack, settings) for name in names]
    stability = active_stability(targets, settings)
    if not stability.release:
        raise NothingDeployed(f"droplet {names[0]} carries no release of {stack}: there is nothing to rehearse")
    return names[0], stability


def _costs(like: str, settings: Settings) -> list[Cost]:
    with load_account(settings).client() as client:
        info = client.droplets.named(like)
    cost = droplet_cost(settings.rehearsal_droplet, info.size, info.price_hourly, info.price_monthly)
    return [cost, snapshot_cost(info.disk)]


def _publish_report(report: Rehearsed, settings: Settings) -> Rehearsed:
    """Keep it: in the UI, and as files."""
    write_report(settings.reports, "rehearsal.md", mask(report.markdown()))
    said = json.dumps(report.as_json(), indent=2, default=str)
    write_report(settings.reports, "rehearsal.json", f"{mask(said)}\n")
    page("rehearsal", report.markdown(), report.sentence)
    get_run_logger().info("%s", report.sentence)
    return report
