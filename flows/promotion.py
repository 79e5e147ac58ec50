"""One promotion: prove, ask where wanted, prove again, switch, watch; and back if it does not hold."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from prefect import runtime
from prefect.logging import get_run_logger

from blocks import TrafficSwitch
from blocks.errors import OutsideError, SwitchMoved
from blocks.traffic import Position
from flows.core.bookkeeping import closed
from flows.core.data import refuse_release, refuse_undeclared
from flows.core.errors import NotPromoted, PlanChanged, SlipwayError
from flows.core.gates import Verdict
from flows.core.outcome import GatesRead, Promoted
from flows.core.promotion import Plan, make_plan
from flows.core.question import question
from flows.core.record import Outcome
from flows.core.standing import Standing
from flows.deploy import put_on
from flows.gates import read_gates
from flows.moving import go_back, move
from flows.plan import show_plan
from flows.rollback import going_back
from flows.settings import Settings, Strategy
from flows.tasks.approval import ask
from flows.tasks.connection import connected
from flows.tasks.history import keep_record, read_history
from flows.tasks.lock import locked
from flows.tasks.prune import prune_willingly
from flows.tasks.publish import fetch_release
from flows.tasks.report import table
from flows.tasks.runs import now
from flows.tasks.saved import load_registry
from flows.tasks.secrecy import masked
from flows.tasks.sides import Side, holding, look_at
from flows.tasks.traffic import prepare_switch, read_switch, settle_switch
from flows.validate import validate
from flows.watch import keep_watch


@dataclass(frozen=True)
class Put:
    """A release that is put on the idle colour first."""

    tag: str
    strategy: Strategy
    env_file: str | None


@dataclass
class Promotion:
    """One promotion: the switch as it was read, the colour to go to, and the one traffic leaves."""

    stack: str
    switch: TrafficSwitch
    seen: Position
    candidate: Side
    active: Side | None
    wait: float
    settings: Settings

    def carry_out(self, put: Put | None) -> Promoted:
        """Prove, ask where wanted, prove again, switch, watch. No lock is held while a person is asked."""
        try:
            prepare_switch(self.switch)
            return self._carry_out(put)
        finally:
            settle_switch(self.switch)

    def _carry_out(self, put: Put | None) -> Promoted:
        approved: tuple[str, Verdict, str] | None = None
        while True:
            with holding([self.candidate], self.active, f"promotion of {self.stack}", self.wait):
                plan, gates = self._prove(put if approved is None else None)
                if approved and plan.mark != approved[0]:
                    raise PlanChanged(
                        f"what stands on the colours of {self.stack} is not what was approved any more. Traffic was "
                        "not moved. Look at it, and ask again: slipway plan, slipway promote"
                    )
                if not self._must_ask(gates, approved[1] if approved else None):
                    return self._switch(plan, gates, approved[2] if approved else "")
            minutes = self.settings.approval_timeout / 60
            answer = ask(question(plan, gates.readings, minutes), plan.sentence, self.settings.approval_timeout)
            approved = (plan.mark, gates.verdict, answer.words)

    def _prove(self, put: Put | None) -> tuple[Plan, GatesRead]:
        """Put the release there where that is wanted, and read the gates; a release that fails goes again.

        Raises:
            NotPromoted: a gate failed.
        """
        if put:
            refuse_release(fetch_release(self.stack, put.tag, load_registry(self.settings))[0], self.settings.home)
        before = self._look_at_active()
        with ExitStack() as ways:
            if put:
                self._put(put, ways)
            standings = look_at(self.candidate)
            plan = make_plan(
                self.stack, self.candidate.colour, self.active.colour if self.active else None,
                standings, before, str(self.switch), self.switch.effect,
            )  # fmt: skip
            self._refuse(standings)
            show_plan(plan)
            gates = read_gates(self.candidate, self.active, standings, before, self.settings.gate_window, self.settings)
            if gates.verdict is Verdict.FAIL:
                stays = f"Traffic stays on {self.active}" if self.active else "Traffic was not moved"
                raise NotPromoted(f"release {plan.tag} on {self.candidate} did not pass: {gates.words}. {stays}")
        return plan, gates

    def _put(self, put: Put, ways: ExitStack) -> None:
        """Deploy and validate on every droplet of the colour; if one of them fails, all of them go back."""
        for droplet in self.candidate.droplets:
            way = ways.enter_context(going_back(droplet, self.candidate.home(droplet), self.settings))
            role = self.settings.role(droplet.name)
            put_on(droplet, self.stack, put.tag, role, put.strategy, put.env_file, self.wait, self.settings)
            way.needed = True
            validate(self.stack, droplet.name)

    def _look_at_active(self) -> Sequence[Standing]:
        """What stands on the active colour; it may be the one that is broken, and then it is no way back."""
        if self.active is None:
            return []
        try:
            return look_at(self.active)
        except (OutsideError, SlipwayError) as error:
            get_run_logger().warning("%s cannot be looked at: %s", self.active, masked(str(error)))
            return []

    def _refuse(self, standings: Sequence[Standing]) -> None:
        """Raises StateUndeclared."""
        for standing in standings:
            if standing.stack and standing.release:
                refuse_undeclared(standing.stack, self.settings.home)
                refuse_release(standing.release, self.settings.home)

    def _must_ask(self, gates: GatesRead, approved: Verdict | None) -> bool:
        """Whether a person has to be asked. A yes to an inconclusive gate counts; a yes to a pass says nothing of one.

        Raises:
            NotPromoted: nobody may be asked.
        """
        open_question = gates.verdict is Verdict.INCONCLUSIVE
        if self.settings.approval == "never" and open_question:
            raise NotPromoted(
                f"the gates of {self.candidate} are inconclusive, and approval is never: {gates.words}. "
                "Have a person asked (--approval inconclusive), or let a gate only be observed "
                "(SLIPWAY_GATE_OBSERVE_ONLY)"
            )
        if approved is None:
            return self.settings.approval == "always" or open_question
        return open_question and approved is not Verdict.INCONCLUSIVE

    def _switch(self, plan: Plan, gates: GatesRead, approved_by: str) -> Promoted:
        """Traffic goes there; whatever fails from here on sends it back."""
        self.switch.read()  # the connection is open when the decision falls
        seen = self.seen
        try:
            turned = move(self.switch, self.candidate, self.active, seen, f"promoting {plan.tag}", self.settings)
            seen = self._ours()
            watched = keep_watch(self.switch, self.candidate, seen, self.settings.watch, self.settings)
        except (SlipwayError, OutsideError) as error:
            now_seen = self._position()
            if now_seen is None:
                raise NotPromoted(
                    f"{masked(str(error))}\nWhere {self.switch} points cannot be read now. Once it answers again: "
                    "slipway status, slipway watch"
                ) from error
            if now_seen.active != (self.candidate.colour,):
                raise
            story = go_back(self.switch, self.candidate, self.active, now_seen, error, self.settings)
            self._mark_failed(str(error))
            raise story from error
        self._prune()
        promoted = Promoted(
            **{**vars(turned), "tag": plan.tag}, plan=plan, gates=gates, approved_by=approved_by,
            watched=watched.seconds, readings=watched.readings, run_url=str(runtime.flow_run.ui_url or ""),
        )  # fmt: skip
        row: dict[str, object] = {
            "release": promoted.tag, "from": promoted.left or "nowhere", "to": promoted.colour,
            "turned after": f"{promoted.turned_after:.2f} s", "answering after": f"{promoted.seen_after:.2f} s",
            "watched": f"{promoted.watched:.0f} s", "approved by": promoted.approved_by or "nobody had to be asked",
        }  # fmt: skip
        table(f"promotion-{self.stack}", [row], plan.sentence)
        return promoted

    def _ours(self) -> Position:
        """Where the switch stands after the turn; whoever moved it since then has it.

        Raises:
            SwitchMoved
        """
        now = read_switch(self.switch)
        if now.active != (self.candidate.colour,):
            raise SwitchMoved(
                f"{self.switch} was moved to {' and '.join(now.active) or 'nowhere'} by {now.by or 'somebody'} in the "
                "meantime"
            )
        return now

    def _position(self) -> Position | None:
        try:
            return self.switch.read()
        except OutsideError:
            return None

    def _mark_failed(self, why: str) -> None:
        """The record of what did not hold says so, where the droplet can still be written to."""
        for droplet in self.candidate.droplets:
            try:
                with connected(droplet) as session, locked(session, droplet.directory, "record", self.wait) as lock:
                    home = self.candidate.home(droplet)
                    record = read_history(lock, home).deployed()
                    if record:
                        reason = masked(f"did not hold after its promotion: {why}")
                        keep_record(lock, home, [closed(record, Outcome.FAILED, now(), reason)])
            except (SlipwayError, OutsideError) as error:
                get_run_logger().warning("the record on %s does not say so: %s", droplet.name, error)

    def _prune(self) -> None:
        for droplet in self.candidate.droplets:
            with connected(droplet) as session, locked(session, droplet.directory, "pruning", self.wait) as lock:
                prune_willingly(lock, self.candidate.home(droplet), self.settings)
