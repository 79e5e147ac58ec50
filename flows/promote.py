"""promote: prove a release on the idle colour, ask where wanted, send traffic there, watch it; and back if it fails."""

from contextlib import ExitStack
from dataclasses import dataclass, replace

from prefect import runtime

from blocks import TrafficSwitch
from blocks.errors import OutsideError
from blocks.traffic.state import SwitchState
from flows.canary import Canary
from flows.core.control.events import PROMOTION_FAILED
from flows.core.errors import ConflictingOptions, NotPromoted, PlanChanged, SlipwayError
from flows.core.gates.verdict import Verdict
from flows.core.results import GateReport, Promoted
from flows.core.traffic.approval import approval_question, must_ask
from flows.core.traffic.canary import canary_steps
from flows.core.traffic.colours import Colour
from flows.core.traffic.promotion_plan import PromotionPlan, plan_promotion, refuse_undeclared_states
from flows.deploy import DeployFirst
from flows.gates import read_gates, tell_verdict
from flows.hooks import prune_colours_after_failure, recover_promotion
from flows.plan import publish_plan, publish_promotion
from flows.settings import Approval, Settings, Strategy
from flows.switch_back import move_traffic, move_traffic_back
from flows.tasks.control.superseding import end_superseded, give_way
from flows.tasks.droplet.connection import connected
from flows.tasks.insight.overview import keep_overview
from flows.tasks.prune.droplet import prune_best_effort
from flows.tasks.records.history import mark_failed
from flows.tasks.records.promotion import keep_promotion, measure_gates
from flows.tasks.runs.blocks import block_cache, load_environment
from flows.tasks.runs.declaration import flow
from flows.tasks.runs.events import failure_emitted
from flows.tasks.runs.log_masking import mask
from flows.tasks.runs.measuring import measuring
from flows.tasks.stack.project import stack_name
from flows.tasks.stack.run_names import run_name
from flows.tasks.traffic.approval import approval_mode, ask_for_approval
from flows.tasks.traffic.canary import refuse_canary
from flows.tasks.traffic.colours import (
    ColourDroplets,
    load_colours,
    lock_colours,
    promoted_to,
    read_states,
    read_states_if_reachable,
)
from flows.tasks.traffic.sleep import let_sleep, sleeping_again
from flows.tasks.traffic.stability import refuse_unstable
from flows.tasks.traffic.switch import (
    answers,
    finish_switch,
    open_switch,
    prepare_switch,
    read_switch,
    read_switch_at,
    refuse_silent_switch,
    try_read_switch,
)
from flows.tasks.trust.verification import check_standing_releases
from flows.watch import keep_watch


@flow(
    name="promote",
    flow_run_name=run_name("promote {stack}"),
    overview=keep_overview,
    on_completion=[end_superseded],
    on_failure=[prune_colours_after_failure, end_superseded],
    on_crashed=[recover_promotion],
    on_cancellation=[recover_promotion],
)
def promote(
    stack: str | None = None,
    tag: str | None = None,
    to: Colour | None = None,
    approval: Approval | None = None,
    strategy: Strategy | None = None,
    env_file: str | None = None,
    watch: float | None = None,
    wait: float = 0.0,
    digest: str | None = None,
    canary: str | None = None,
) -> Promoted:
    """Prove the release on the idle colour, send traffic there, and watch it; any failure afterwards sends it back.

    Args:
        stack: the stack's name, or its compose file; default: the setting `stack`.
        tag: put this published release on the idle colour first; default: what stands there.
        to: green or blue; only needed when the switch points nowhere.
        approval: never, inconclusive or always; default: the setting `approval`. Through the API, the stricter of both.
        strategy: how services are replaced on the idle colour; default: the setting `strategy`.
        env_file: an env file over the environment block's variables.
        watch: seconds for which the gates are read again afterwards; default: the setting `watch`.
        wait: seconds to wait while another run changes a droplet.
        digest: with `tag`: of the release as it was published (`sha256:…`); what the tag means meanwhile is not asked.
        canary: percent of the clients that go first, as `5,25,50`; `none`: all at once. Default: the setting `canary`.
    """
    if digest and not tag:
        raise ConflictingOptions("a digest alone does not say which release is meant: give its --tag, too")
    settings = Settings()
    give_way(stack, settings)
    watched = settings.watch if watch is None else watch
    steps = canary_steps(canary, settings.canary)
    settings = settings.model_copy(
        update={"approval": approval_mode(approval, settings), "watch": watched, "canary": steps}
    )
    name = stack_name(stack or settings.stack)
    with block_cache(), open_switch(settings) as switch, ExitStack() as connections:
        load_environment(settings, name)
        colours, seen = load_colours(name, settings), read_switch(switch)
        colour, left = promoted_to(seen.active, to, str(switch), colours, settings)
        refuse_unstable(active := colours[left] if left else None, settings)
        refuse_canary(switch, steps if left else ())
        refuse_silent_switch(switch, seen, settings.switch_timeout)
        candidate = colours[colour]
        for target in candidate.targets:
            connections.enter_context(connected(target.droplet))
        first = DeployFirst(tag, strategy or settings.strategy, env_file, digest) if tag else None
        with sleeping_again(candidate, settings):
            return Promotion(name, switch, seen, candidate, active, wait, settings).carry_out(first)


@dataclass(frozen=True)
class Promotion:
    """One promotion: the switch as it was read, the colour to go to, and the one traffic leaves."""

    stack: str
    switch: TrafficSwitch
    seen: SwitchState
    candidate: ColourDroplets
    active: ColourDroplets | None
    wait: float
    settings: Settings

    def carry_out(self, first: DeployFirst | None) -> Promoted:
        """Prove, ask where wanted, prove again, switch, watch, and let the old colour go to sleep.

        No lock is held while a person is asked, nor while the old colour is kept warm.
        """
        tag, left = first.tag if first else "", self.active.colour if self.active else ""
        said = {"stack": self.stack, "tag": tag, "colour": self.candidate.colour, "previous": left}
        try:
            prepare_switch(self.switch)
            with failure_emitted(PROMOTION_FAILED, **said):
                promoted = self._carry_out(first)
        finally:
            finish_switch(self.switch)
        if self.active is None or promoted.plan is None:
            return promoted
        turned_at, seen = promoted.decided_at + promoted.turned_after, promoted.plan.mark.splitlines()
        return replace(promoted, asleep=let_sleep(self.switch, self.active, seen, turned_at, self.settings))

    @property
    def _steps(self) -> tuple[int, ...]:
        return self.settings.canary if self.active else ()

    def _carry_out(self, first: DeployFirst | None) -> Promoted:
        with Canary(self.switch, self.candidate, self.active, self._steps, self.settings) as canary:
            return self._decide(first, canary)

    def _decide(self, first: DeployFirst | None, canary: Canary) -> Promoted:
        approved: tuple[str, Verdict, str] | None = None
        while True:
            with lock_colours([self.candidate], self.active, f"promotion of {self.stack}", self.wait):
                canary.check(self.seen)
                plan, gates = self._prove(first if approved is None else None)
                if approved and plan.mark != approved[0]:
                    raise PlanChanged(
                        f"what stands on the colours of {self.stack} is not what was approved any more. Traffic was "
                        "not moved. Look at it, and ask again: slipway plan, slipway promote"
                    )
                found = f"{self.candidate} are inconclusive: {gates.words}"
                agreed = approved[1] if approved else None
                if not must_ask(self.settings.approval, gates.verdict, agreed, found):
                    if (unsure := canary.go_on(plan.tag, agreed)) is None:
                        return self._switch(plan, gates, approved[2] if approved else "")
                    gates = unsure
            limit = self.settings.approval_timeout
            question = approval_question(plan, gates.readings, limit / 60)
            answer = ask_for_approval(question, plan.sentence, limit, stack=self.stack, tag=plan.tag)
            approved = (plan.mark, gates.verdict, answer.words)

    def _prove(self, first: DeployFirst | None) -> tuple[PromotionPlan, GateReport]:
        """Put the release there where that is wanted, and read the gates; a release that fails goes again.

        Raises:
            NotPromoted: a gate failed.
        """
        fetched = first.fetch(self.candidate, self.settings) if first else None
        before = read_states_if_reachable(self.active)
        with ExitStack() as guards:
            if first and fetched:
                first.put(fetched, self.candidate, guards, self.wait, self.settings)
            states = read_states(self.candidate)
            check_standing_releases(states, self.settings)
            plan = plan_promotion(
                self.stack, self.candidate.colour, self.active.colour if self.active else None,
                states, before, str(self.switch), self.switch.client_impact,
            ).with_canary("", self._steps, self.settings.canary_seconds)  # fmt: skip
            refuse_undeclared_states(states, self.settings.home)
            publish_plan(plan)
            gates = read_gates(self.candidate, self.active, states, before, self.settings.gate_window, self.settings)
            measure_gates(self.candidate.targets, gates)
            tell_verdict(gates, self.stack, states)
            if gates.verdict is Verdict.FAIL:
                stays = f"Traffic stays on {self.active}" if self.active else "Traffic was not moved"
                raise NotPromoted(f"release {plan.tag} on {self.candidate} did not pass: {gates.words}. {stays}")
        return plan, gates

    def _switch(self, plan: PromotionPlan, gates: GateReport, approved_by: str) -> Promoted:
        """Traffic goes there; whatever fails from here on sends it back."""
        self.switch.read()  # the connection is open when the decision falls
        done = f"Release {plan.tag} stands on {self.candidate}, and passed: slipway promote"
        refuse_silent_switch(self.switch, self.seen, self.settings.switch_timeout, done)
        try:
            moved = move_traffic(
                self.switch, self.candidate, self.active, self.seen, f"promoting {plan.tag}", self.settings
            )
            seen = read_switch_at(self.switch, self.candidate.colour)
            watched = keep_watch(self.switch, self.candidate, seen, self.settings.watch, self.settings)
        except (SlipwayError, OutsideError) as error:
            if (story := self._move_back(error)) is not error:
                raise story from error
            raise
        promoted = Promoted(
            **{**vars(moved), "tag": plan.tag}, plan=plan, gates=gates, approved_by=approved_by,
            watched=watched.seconds, readings=watched.readings, run_url=str(runtime.flow_run.ui_url or ""),
            canary=self._steps,
        )  # fmt: skip
        for target in self.candidate.targets:
            with measuring(target.name), target.locked("pruning", self.wait) as lock:
                keep_promotion(lock, target, promoted)
                prune_best_effort(lock, target.directory, self.settings)
        publish_promotion(self.stack, promoted, plan)
        return promoted

    def _move_back(self, error: Exception) -> Exception:
        """Send traffic back where it came from, unless somebody else has moved it; returns the error to raise."""
        if (now := try_read_switch(self.switch)) is None:
            return NotPromoted(
                f"{mask(str(error))}\nWhere {self.switch} points cannot be read now. Once it answers again: "
                "slipway status, slipway watch"
            )
        if now.active != (self.candidate.colour,):
            return error
        story = move_traffic_back(self.switch, self.candidate, self.active, now, error, self.settings)
        for target in self.candidate.targets if answers(self.switch) else ():  # else the release is not to blame
            mark_failed(target, mask(f"did not hold after its promotion: {error}"), self.wait)
        return story
