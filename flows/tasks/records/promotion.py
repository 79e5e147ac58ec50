"""Keeps in the record of a release how it was decided on, and how traffic came to it."""

from collections.abc import Iterable

from prefect.logging import get_run_logger

from blocks.errors import OutsideError
from flows.core.errors import SlipwayError
from flows.core.records.measuring import gate_numbers, turn_to
from flows.core.results import GateReport, Promoted
from flows.tasks.droplet.lock import LockedSession
from flows.tasks.droplet.target import Target
from flows.tasks.records.history import keep_record, load_history
from flows.tasks.runs.log_masking import mask
from flows.tasks.runs.measuring import measuring


def measure_gates(targets: Iterable[Target], gates: GateReport) -> None:
    """Measure the gates of a colour on each of its droplets, whatever comes of them."""
    for target in targets:
        with measuring(target.name) as measured:
            measured.note(gates=gate_numbers(gates.readings))


def keep_promotion(lock: LockedSession, target: Target, promoted: Promoted) -> None:
    """Write into the droplet's record how traffic came to its release; it stands, if this cannot be written."""
    turn = turn_to(
        promoted.colour, promoted.previous_colour, promoted.decided_at, turned=promoted.turned_after,
        seen=promoted.seen_after, watched=promoted.watched, approved_by=promoted.approved_by,
    )  # fmt: skip
    with measuring(target.name) as measured:
        measured.note(turn=turn)
        try:
            if (record := load_history(lock, target.directory).deployed()) and record.tag == promoted.tag:
                keep_record(lock, target.directory, [measured.kept_in(record)])
        except (SlipwayError, OutsideError) as error:
            get_run_logger().warning("the record on %s does not say so: %s", target.name, mask(str(error)))
