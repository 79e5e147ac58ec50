"""A history that nobody lived through, made by the code that makes real ones: the same records, the same numbers.

`python -m compose.lab.week [REPORTS]` (`make week`) writes stability.html from it, and the page says that it is made.
Tests and the benchmark take larger ones.
"""

import math
import random
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flows.core.insight.stability.condition import StabilityLimits
from flows.core.insight.stability.number import StabilityThresholds
from flows.core.insight.stability.report import StabilityReport, StabilitySources, stability_report
from flows.core.insight.stability.requests import ColourSamples, RequestHistory, range_step
from flows.core.records.history import History
from flows.core.records.lifecycle import close_record, conclude, mark_deployed, open_record
from flows.core.records.measurements import BuildTimes, GateNumbers, Measurements, ProbeTime, Pull, Turn
from flows.core.records.record import Record, RecordOutcome, Run
from flows.core.release.release import Image, Release
from flows.core.traffic.colours import Colours, other
from flows.tasks.insight.page import stability_page
from flows.tasks.runs.reports import write_report

STACK, REGISTRY = "agents", "registry.example.com"
AGENTS = ("gateway", "planner", "reviewer", "builder", "writer", "search")
COLOURS = Colours(("green", "green-2"), ("blue",))
THRESHOLDS, LIMITS = StabilityThresholds(), StabilityLimits(7, 0.9, 0, 0)
_REASONS = (
    "NotHealthy: reviewer: restarted 4 times, last exit 1: KeyError: 'MODEL'",
    "GateFailed: error rate: 4.10% of 612 requests",
    "NotHealthy: search: the health probe got 503 for 20 s",
)


@dataclass
class MadeHistory:
    """A history in the making: the records of each droplet, which colour is active, and what clients met."""

    begin: datetime
    until: datetime
    random: random.Random
    colours: Colours = COLOURS
    records: dict[str, list[Record]] = field(default_factory=dict)
    active: str = "green"
    turns: list[tuple[datetime, str]] = field(default_factory=list)
    bad: list[tuple[datetime, datetime]] = field(default_factory=list)

    def histories(self) -> dict[str, History]:
        """Droplet → its history, as a droplet would tell it."""
        return {name: _history(records) for name, records in self.records.items()}

    def release(self, number: int, at: datetime) -> None:
        """One release: onto the idle colour, proved, and, if all is well, traffic is turned to it."""
        colour, chance = other(self.active), self.random.random()
        why = self.random.choice(_REASONS) if chance < 0.1 else ""
        turns = chance < 0.95 and not why
        lost = 0.1 <= chance < 0.15
        committed = at - timedelta(minutes=self.random.lognormvariate(4, 0.8))
        made = _made_release(number)
        run = Run(id=f"{number:08d}-0000-4000-8000-000000000000", name=f"promote-{number}", by="ci@lab",
                  url=f"http://127.0.0.1:4200/runs/flow-run/{number:08d}-0000-4000-8000-000000000000")  # fmt: skip
        turned = at + timedelta(seconds=95)
        for droplet in self.colours.droplets(colour):
            measured = self._measured(made, committed, why)
            if turns:
                turn = Turn(colour=colour, previous=self.active, at=turned.isoformat(), turned_seconds=0.2,
                            seen_seconds=0.6, lost=0, watched_seconds=60.0)  # fmt: skip
                measured = measured.merged(Measurements(turn=turn))
            self._put(droplet, made, run, at, measured, why)
            if why:
                self._back(droplet, run, at + timedelta(seconds=80), why)
            elif lost and turns:
                newest = self.records[droplet][-1]
                words = f"did not hold after its promotion: {_REASONS[1]}"
                ended = (turned + timedelta(seconds=40)).isoformat()
                back = measured.merged(Measurements(restored_seconds=2.4))
                failed = newest.model_copy(update={"measured": back})
                self.records[droplet][-1] = close_record(failed, RecordOutcome.FAILED, ended, words)
        if turns and not lost:
            self.active = colour
            self.turns.append((turned, colour))
        elif turns:
            returned = turned + timedelta(seconds=900)
            self.bad.append((turned, returned))
            self.turns += [(turned, colour), (returned, self.active)]

    def _put(self, droplet: str, made: Release, run: Run, at: datetime, measured: Measurements, why: str) -> None:
        mine = self.records.setdefault(droplet, [])
        history = _history(mine)
        record, closed = open_record(
            history, made, f"{made.tag}.{'0' * 16}", kind="deploy", environment="0" * 16, run=run, now=at.isoformat()
        )
        if not why:
            record = mark_deployed(record, (at + timedelta(seconds=40)).isoformat())
        record = record.model_copy(update={"measured": measured})
        traced = [agent for agent, found in measured.agents.items() if found]
        done = conclude(history, record, (at + timedelta(seconds=60)).isoformat(), why, traced=traced)
        _write(mine, [*closed, *done])

    def _back(self, droplet: str, run: Run, at: datetime, why: str) -> None:
        """The rollback that follows a failed deploy, where there is something to go back to."""
        mine = self.records[droplet]
        history = _history(mine)
        good = next((one for one in reversed(mine) if one.outcome is RecordOutcome.GOOD), None)
        if good is None:
            return
        seconds = self.random.lognormvariate(2.6, 0.4)
        made = _made_release(int(good.tag, 16))
        record, closed = open_record(history, made, good.name, kind="rollback", environment=good.environment, run=run,
                                     now=at.isoformat(), reason=why)  # fmt: skip
        record = mark_deployed(record, (at + timedelta(seconds=seconds)).isoformat())
        record = record.model_copy(update={"measured": Measurements(restored_seconds=seconds)})
        _write(mine, closed)
        done = conclude(_history(mine), record, (at + timedelta(seconds=seconds + 4)).isoformat())
        _write(mine, done)

    def _measured(self, made: Release, committed: datetime, why: str) -> Measurements:
        drawn = self.random
        pulls = tuple(
            Pull(image=image, registry=REGISTRY, seconds=round(drawn.lognormvariate(1.6, 0.7), 3),
                 bytes=0 if drawn.random() < 0.3 else drawn.randrange(50_000, 80_000_000))
            for image in made.services.values()
        )  # fmt: skip
        sick = why.partition(": ")[2].partition(":")[0]
        probes = tuple(
            ProbeTime(service=agent, phase="health", verdict="fail" if agent == sick else "pass",
                      seconds=round(drawn.uniform(0.01, 0.4), 3))
            for agent in AGENTS
        )  # fmt: skip
        failed = why.startswith("GateFailed")
        gate = GateNumbers(gate="error rate", verdict="fail" if failed else "pass", wanted="at most 1.00%",
                           found="4.10% of 612 requests" if failed else "0.10% of 612 requests")  # fmt: skip
        return Measurements(
            committed=committed.isoformat(), build=BuildTimes(build_seconds=drawn.uniform(4, 60), push_seconds=9.0),
            steps={"pull images": 9.0}, pulls=pulls, ready_seconds={agent: drawn.uniform(1, 9) for agent in AGENTS},
            probes=probes, agents={} if why else {agent: drawn.random() > 0.02 for agent in AGENTS}, gates=(gate,),
        )  # fmt: skip

    def requests(self) -> RequestHistory:
        """What a Prometheus would say: day and night, none for the idle colour, worse after bad releases."""
        step = range_step((self.until - self.begin).total_seconds())
        samples: dict[str, dict[str, list[tuple[float, float]]]] = {
            colour: {"requests": [], "error_rate": [], "latency": []} for colour in ("green", "blue")
        }
        moments = iter([*self.turns, (self.until + timedelta(days=1), "")])
        change, colour, at = next(moments), "green", self.begin
        while at <= self.until:
            while at >= change[0]:
                colour, change = change[1], next(moments)
            hour = at.hour + at.minute / 60
            count = step * (2 + 1.5 * math.sin((hour - 9) / 24 * 2 * math.pi)) * self.random.uniform(0.8, 1.2)
            ill = any(begin <= at <= end + timedelta(seconds=step) for begin, end in self.bad)
            told, drawn = samples[colour], self.random
            told["requests"].append((at.timestamp(), count))
            told["error_rate"].append((at.timestamp(), drawn.uniform(0.03, 0.06) if ill else drawn.uniform(0, 0.004)))
            told["latency"].append((at.timestamp(), drawn.uniform(1.2, 2.5) if ill else drawn.uniform(0.2, 0.5)))
            at += timedelta(seconds=step)
        found = {
            name: ColourSamples(**{key: tuple(one) for key, one in each.items()}) for name, each in samples.items()
        }
        return RequestHistory(found, step)


def made_history(now: datetime, days: float = 7, releases: int = 28, seed: int = 6) -> MadeHistory:
    """A history of so many releases; the same for the same numbers."""
    made = MadeHistory(now - timedelta(days=days), now, random.Random(seed))  # noqa: S311 — nothing is kept secret
    pause = timedelta(days=days) / (releases + 1)
    for number in range(1, releases + 1):
        made.release(number, made.begin + pause * number + pause * made.random.uniform(-0.4, 0.4))
    return made


def made_report(now: datetime, days: float = 7, releases: int = 28, seed: int = 6) -> StabilityReport:
    """The report on a made history."""
    made = made_history(now, days, releases, seed)
    sources = StabilitySources(made.histories(), made.colours.of, made.requests(), active=(made.active,), switched=True)
    return stability_report(
        STACK, "made", sources, days=days, now=now, thresholds=THRESHOLDS, limits=LIMITS, made=True
    )  # fmt: skip


def _history(records: list[Record]) -> History:
    runs = next((one.name for one in reversed(records) if one.deployed), "")
    return History(tuple(records), frozenset(one.name for one in records), runs, (), len(records))


def _write(mine: list[Record], written: list[Record]) -> None:
    """What a droplet does with records that are written: those of a number replace it."""
    for record in written:
        if record.number <= len(mine):
            mine[record.number - 1] = record
        else:
            mine.append(record)


def _made_release(number: int) -> Release:
    services = {agent: f"{REGISTRY}/team/{agent}@sha256:{number:064x}" for agent in AGENTS}
    images = {reference: Image() for reference in services.values()}
    return Release(
        stack=STACK, tag=f"{number:07x}", commit=f"{number:040x}", compose_files=("compose.yml",), registry=REGISTRY,
        services=services, images=images,
    )  # fmt: skip


def main(reports: str = "reports") -> int:
    """Write the page of a made week."""
    report = made_report(datetime.now(UTC).replace(microsecond=0))
    print(write_report(Path(reports), "stability.html", stability_page(report)))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
