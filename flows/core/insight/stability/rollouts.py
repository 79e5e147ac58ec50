"""Rollouts: each release that was put on a colour, once, however many droplets the colour has."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from flows.core.insight.stability.times import read_moment
from flows.core.records.history import History
from flows.core.records.measurements import Turn
from flows.core.records.record import Record, RecordOutcome, Run

# Records without a run's id belong to one rollout where they are of one tag and began so close together.
_TOGETHER = timedelta(minutes=30)
# Of the records of one rollout, the first of these decides.
_WORST = (
    RecordOutcome.FAILED, RecordOutcome.ROLLED_BACK, RecordOutcome.CANDIDATE, RecordOutcome.SUPERSEDED,
    RecordOutcome.GOOD,
)  # fmt: skip


@dataclass(frozen=True)
class Rollout:
    """One release that one run put on one place.

    Args:
        id: of the place and its first record's number; told apart by it in every list.
        place: a colour, or the name of a droplet that has none.
        records: each with the name of its droplet.
        began: when the first of its records did.
        serving: since when clients reached it; None: never, or nobody knows (`serving_known`).
        colours: whether a switch stands before the place, so that a release serves by a turn alone.
    """

    id: str
    place: str
    records: tuple[tuple[str, Record], ...]
    began: datetime
    serving: datetime | None
    serving_known: bool
    colours: bool

    @property
    def first(self) -> Record:
        """The record that says what all of them say: tag, kind, run."""
        return self.records[0][1]

    @property
    def tag(self) -> str:
        return self.first.tag

    @property
    def run(self) -> Run:
        return self.first.run

    @property
    def deploys(self) -> bool:
        """Whether it brings a release; a rollback brings one back."""
        return self.first.kind == "deploy"

    @cached_property
    def outcome(self) -> RecordOutcome:
        """The worst outcome on any of its droplets; of two records on one, the later counts."""
        found = {record.outcome for record in dict(self.records).values()}
        return next(outcome for outcome in _WORST if outcome in found)

    @property
    def judged(self) -> bool:
        """Whether anybody judged it: a superseded one or a candidate counts neither as good nor as failed."""
        return self.outcome not in (RecordOutcome.SUPERSEDED, RecordOutcome.CANDIDATE)

    @property
    def good(self) -> bool:
        return self.outcome is RecordOutcome.GOOD

    @property
    def reason(self) -> str:
        """Why it did not hold, as its records say; the first that says anything."""
        return next((record.reason for _, record in self.records if record.reason), "")

    @property
    def turn(self) -> Turn | None:
        """How traffic came to it."""
        return next((r.measured.turn for _, r in self.records if r.measured and r.measured.turn), None)


@dataclass(frozen=True)
class Rollouts:
    """The rollouts of a destination, oldest first, and what of its records could not be counted, in sentences."""

    all: tuple[Rollout, ...]
    remarks: tuple[str, ...] = ()

    def since(self, begin: datetime, until: datetime) -> "tuple[Rollout, ...]":
        """Those that began in a time."""
        return tuple(one for one in self.all if begin <= one.began <= until)


def read_rollouts(
    histories: Mapping[str, History], place_of: Callable[[str], str | None], now: datetime, *, switched: bool
) -> Rollouts:
    """The rollouts that the records of all droplets of a destination tell.

    Args:
        histories: droplet → its history.
        place_of: droplet → its colour; None for one that has none.
        switched: whether a traffic switch stands in front of the colours.
    """
    groups: dict[tuple[str, str], list[tuple[str, Record, datetime]]] = {}
    remarks = []
    for droplet, history in histories.items():
        remarks += [f"{droplet}: record {file} is damaged, and left out" for file in history.damaged]
        if history.current and history.deployed() is None:
            remarks.append(f"{droplet}: {history.current} runs, and no record names it: it was put there by hand")
        wrong = []
        for record in history.records:
            began = read_moment(record.began, now)
            if began is None:
                wrong.append(record.number)
                continue
            place = place_of(droplet) or droplet
            groups.setdefault(_group(groups, place, record, began), []).append((droplet, record, began))
        if wrong:
            numbers = ", ".join(map(str, wrong[:5])) + (f" and {len(wrong) - 5} more" if len(wrong) > 5 else "")
            remarks.append(
                f"{droplet}: the time of record {numbers} cannot be (before 1970, in the future, or none): left out. "
                "Set the clocks of droplets and workers"
            )
    found = [_rollout(place, members, place_of, now, switched) for (place, _), members in groups.items()]
    return Rollouts(tuple(sorted(found, key=lambda one: (one.began, one.id))), tuple(remarks))


def _group(groups: Mapping[tuple[str, str], list[tuple[str, Record, datetime]]], place: str, record: Record,
           began: datetime) -> tuple[str, str]:  # fmt: skip
    """The group that a record belongs to, by its run; without one by its tag and time."""
    if record.run.id:
        return place, f"{record.kind} {record.tag} {record.run.id}"
    slot = int(began.timestamp() // _TOGETHER.total_seconds())
    near = [(place, f"{record.kind} {record.tag} at {at}") for at in (slot - 1, slot, slot + 1)]
    for key in near:
        if any(abs(other - began) <= _TOGETHER for _, _, other in groups.get(key, ())):
            return key
    return near[1]


def _rollout(
    place: str, members: Iterable[tuple[str, Record, datetime]], place_of: Callable[[str], str | None],
    now: datetime, switched: bool,
) -> Rollout:  # fmt: skip
    ordered = sorted(members, key=lambda one: (one[2], one[0], one[1].number))
    records = tuple((droplet, record) for droplet, record, _ in ordered)
    colours = switched and place_of(records[0][0]) is not None
    turns = [r.measured.turn for _, r in records if r.measured and r.measured.turn]
    deployed = [read_moment(record.deployed, now) for _, record in records]
    if colours:
        serving = next((at for turn in turns if (at := read_moment(turn.at, now))), None)
        known = bool(serving) or (not turns and all(record.measured for _, record in records))
    else:
        whole = [at for at in deployed if at]
        serving = max(whole) if len(whole) == len(deployed) else None
        known = bool(serving) or all(record.deployed is None for _, record in records)
    name = f"{place}-{records[0][1].number}"
    return Rollout(name, place, records, ordered[0][2], serving, known, colours)


def by_place(rollouts: Iterable[Rollout]) -> dict[str, list[Rollout]]:
    """Place → its rollouts, in their order."""
    found: dict[str, list[Rollout]] = defaultdict(list)
    for one in rollouts:
        found[one.place].append(one)
    return dict(found)
