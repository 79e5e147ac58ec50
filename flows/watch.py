"""watch: read the gates of the active colour again for a while; traffic goes back when they fail."""

import time
from threading import Event

from prefect.logging import get_run_logger

from blocks import TrafficSwitch
from blocks.errors import OutsideError, SwitchMoved
from blocks.traffic.state import SwitchState
from flows.core.control.events import WATCH_FAILED
from flows.core.errors import NotPromoted, SlipwayError
from flows.core.gates.verdict import GateResult, Verdict
from flows.core.results import GateReport, Watched
from flows.core.traffic.colours import direction, other
from flows.gates import read_gates
from flows.settings import Settings
from flows.switch_back import move_traffic_back
from flows.tasks.insight.overview import keep_overview
from flows.tasks.runs.blocks import block_cache, load_environment
from flows.tasks.runs.context import extended_context
from flows.tasks.runs.declaration import flow
from flows.tasks.runs.events import emit
from flows.tasks.runs.log_masking import mask
from flows.tasks.stack.project import stack_name
from flows.tasks.stack.run_names import run_name
from flows.tasks.traffic.canary import take_back_unattended
from flows.tasks.traffic.colours import ColourDroplets, load_colours, read_states
from flows.tasks.traffic.switch import open_switch, read_switch, try_read_switch


@flow(name="watch", flow_run_name=run_name("watch {stack}"), overview=keep_overview)
def watch(stack: str | None = None, seconds: float | None = None) -> Watched:
    """Read the gates of the active colour again and again; traffic goes to the other when they fail.

    Args:
        stack: the stack's name, or its compose file; default: the setting `stack`.
        seconds: how long; 0: as often as it takes to be sure once. Default: the setting `watch`.
    """
    settings = Settings()
    name = stack_name(stack or settings.stack)
    with block_cache(), open_switch(settings) as switch:
        load_environment(settings, name)
        sides, seen = load_colours(name, settings), read_switch(switch)
        direction(seen.active, None, str(switch))  # refuses one that points nowhere, or at both
        active = sides[seen.active[0]]
        old = sides[other(active.colour)]
        if take_back_unattended(switch, seen, (old, active), settings):
            seen = read_switch(switch)
        try:
            return keep_watch(switch, active, seen, settings.watch if seconds is None else seconds, settings)
        except NotPromoted as error:
            raise move_traffic_back(switch, active, old, seen, error, settings) from error


def keep_watch(
    switch: TrafficSwitch, active: ColourDroplets, seen: SwitchState, seconds: float, settings: Settings
) -> Watched:
    """Read the gates until the time is over.

    Raises:
        NotPromoted: they failed so many times in a row that it counts.
        SwitchMoved: somebody moved traffic meanwhile; it is theirs to watch now.
    """
    began, readings, failing, inconclusive, in_a_row = time.monotonic(), 0, 0, 0, 0
    pause = Event()
    # Both colours need the data home: moving traffic would not bring it back.
    own = settings.model_copy(update={"gate_observe_only": (*settings.gate_observe_only, "data home")})
    while True:
        turn_began = time.monotonic()
        _still(switch, seen)
        with extended_context(quiet=True):
            said = _read(active, own)
        readings += 1
        _say(readings, said)
        failing += said.verdict is Verdict.FAIL
        inconclusive += said.verdict is Verdict.INCONCLUSIVE
        in_a_row = in_a_row + 1 if said.verdict is Verdict.FAIL else 0
        if in_a_row >= settings.watch_failures:
            emit(WATCH_FAILED, stack=active.stack, colour=active.colour, reason=said.words)
            raise NotPromoted(f"{active} failed {in_a_row} times in a row: {said.words}")
        now = time.monotonic()
        if now - began >= seconds and not in_a_row:
            _still(switch, seen)  # a reading takes a while, and what was read is only worth something where traffic is
            found = Watched(active.colour, now - began, readings, failing, inconclusive)
            get_run_logger().info("✓ watched %s for %.0f s: %d readings", active, found.seconds, readings)
            return found
        pause.wait(max(0.0, settings.watch_interval - (now - turn_began)))


def _read(side: ColourDroplets, settings: Settings) -> GateReport:
    """One reading; a droplet that cannot be reached is a colour that is not well."""
    try:
        return read_gates(side, None, read_states(side), [], 0.0, settings, patient=False)
    except (SlipwayError, OutsideError) as error:
        unwell = GateResult("droplet", Verdict.FAIL, mask(str(error)), "it can be reached")
        return GateReport(side.colour, (unwell,), Verdict.FAIL, 0.0, 0.0)


def _say(number: int, said: GateReport) -> None:
    log = get_run_logger()
    if said.verdict is Verdict.PASS:
        log.info("✓ reading %d: %d gates passed", number, len(said.readings))
    else:
        log.warning("reading %d: %s: %s", number, said.verdict.value, said.words)


def _still(switch: TrafficSwitch, seen: SwitchState) -> None:
    now = try_read_switch(switch)
    if now is not None and now.share != seen.share and now.active == seen.active:
        raise SwitchMoved(
            f"the canary of {switch} was changed in the meantime: from {seen.share or 'none'} to {now.share or 'none'}"
        )
    if now is not None and now.active != seen.active:
        raise SwitchMoved(
            f"{switch} was moved to {' and '.join(now.active) or 'nowhere'} by {now.by or 'somebody'} in the meantime"
        )
