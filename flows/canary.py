"""The canary of a promotion: clients reach the new colour in shares, and all go back when a gate fails."""

from collections.abc import Sequence
from types import TracebackType

from prefect.logging import get_run_logger

from blocks import TrafficSwitch
from blocks.errors import OutsideError, SwitchMoved
from blocks.traffic.state import Share, SwitchState
from flows.core.control.events import SWITCHED_BACK
from flows.core.errors import NotPromoted, SlipwayError
from flows.core.gates.verdict import Verdict
from flows.core.results import GateReport
from flows.core.traffic.approval import must_ask
from flows.gates import read_gates, tell_verdict
from flows.settings import Settings
from flows.tasks.records.history import mark_failed
from flows.tasks.runs.events import emit
from flows.tasks.runs.log_masking import mask
from flows.tasks.runs.run_info import this_run
from flows.tasks.traffic.canary import set_share, take_back, take_back_left
from flows.tasks.traffic.colours import ColourDroplets, read_states, read_states_if_reachable
from flows.tasks.traffic.switch import read_switch, try_read_switch
from flows.watch import keep_watch


class Canary:
    """The steps of one promotion. Whatever ends it early takes the share back: it is used as a context manager.

    Args:
        steps: percent of the clients, rising; none: all go at once.
    """

    def __init__(
        self,
        switch: TrafficSwitch,
        candidate: ColourDroplets,
        active: ColourDroplets | None,
        steps: Sequence[int],
        settings: Settings,
    ) -> None:
        self._switch, self._candidate, self._active, self._settings = switch, candidate, active, settings
        self._left = list(steps)
        self._mine: Share | None = None
        self._by = ""

    def __enter__(self) -> "Canary":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if error is not None and (words := self._take_back()):
            get_run_logger().warning("%s", words)

    def check(self, seen: SwitchState) -> None:
        """Take back what another promotion has left, and see that a share of this one still stands.

        Args:
            seen: the switch as it was first read.

        Raises:
            NotPromoted: somebody took this one's share back, or changed it.
        """
        if self._mine is None:
            take_back_left(self._switch, seen, self._settings)
        elif (now := read_switch(self._switch).share) != self._mine:
            raise NotPromoted(
                f"the canary of {self._candidate} was changed by somebody meanwhile: {now or 'it was taken back'}. "
                "Traffic was not moved. Look at it, and promote again: slipway status, slipway promote"
            )

    def go_on(self, tag: str, approved: Verdict | None) -> GateReport | None:
        """Go through the steps that are left; returns what the gates said of one after which a person is asked.

        Args:
            approved: what the gates said when a person said yes; None: nobody did.

        Raises:
            NotPromoted: a gate failed, or somebody moved traffic; no client reaches the new colour any more.
        """
        while self._left:
            try:
                said = self._step(tag, self._left.pop(0))
            except SwitchMoved as error:
                raise NotPromoted(f"{mask(str(error))}\nTraffic is where they sent it. {self._take_back()}") from error
            except (SlipwayError, OutsideError) as error:
                words = mask(f"release {tag} did not hold as a canary: {error}")
                back = self._take_back()
                for target in self._candidate.targets:
                    mark_failed(target, words, self._settings.lock_patience)
                look = f"What failed stands there to be looked at: slipway debug-agent --droplet {target.name}"
                raise NotPromoted(f"{words}\n{back}. {look}") from error
            found = f"{self._candidate} are inconclusive with {self._mine}: {said.words}"
            try:
                if must_ask(self._settings.approval, said.verdict, approved, found):
                    return said
            except NotPromoted as error:
                raise NotPromoted(f"{error}\n{self._take_back()}") from error
        return None

    def _step(self, tag: str, percent: int) -> GateReport:
        """Set a share, watch the new colour for its time, and compare both at the end of it."""
        run, seen, seconds = this_run(), read_switch(self._switch), self._settings.canary_seconds
        self._by = f"{run.by}: trying {tag} ({run.name or 'a run'})"
        now = set_share(self._switch, self._candidate.colour, percent, seen, self._by, self._settings.switch_timeout)
        self._mine = now.share
        get_run_logger().info("✓ %d %% of the clients reach %s, for %g s", percent, self._candidate, seconds)
        keep_watch(self._switch, self._candidate, now, seconds, self._settings)
        own = self._settings.model_copy(update={"gate_window": seconds})
        states, before = read_states(self._candidate), read_states_if_reachable(self._active)
        report = read_gates(self._candidate, self._active, states, before, 0.0, own)
        said = tell_verdict(report, self._candidate.stack, states)
        if said.verdict is Verdict.FAIL:
            raise NotPromoted(f"{self._candidate} did not pass: {said.words}")
        return said

    def _take_back(self) -> str:
        """What became of this one's share, in words; '' where none was set, or a turn has ended it."""
        if not self._by:
            return ""
        now, by, self._by, self._mine = try_read_switch(self._switch), self._by, "", None
        if now is None:
            now = SwitchState((), share=Share(self._candidate.colour, 0, by=by))
        if now.share is None or now.share.by != by:
            return ""
        words = take_back(self._switch, now.share, self._settings.switch_timeout)
        to, left = (self._active.colour if self._active else ""), self._candidate.colour
        emit(SWITCHED_BACK, stack=self._candidate.stack, colour=to, previous=left, reason=words)
        return words
