"""The body of the validate flow beside its slowest probe."""

from benchmarks.bench import Bench
from benchmarks.lab import NAME
from benchmarks.measure import Section, alternate, judged, median, seconds, times
from benchmarks.slipway import command, in_process
from flows.core.gates.probes import Phase
from flows.validate import validate

TARGET = 1.3


def measure(bench: Bench) -> list[Section]:
    """One table: with and without the waiting for traces."""
    bench.start_over()
    bench.tell("validate: a release to look at")
    command("release", "--stack", str(bench.ours.directory))
    probes: list[float] = []
    phases: list[float] = []
    with_traces: list[float] = []

    def once() -> float:
        validated = in_process(lambda: validate(NAME, NAME))
        took = {(o.service, o.phase): o.seconds for o in validated.outcomes}
        slowest = {p: max((spent for (_, phase), spent in took.items() if phase is p), default=0.0) for p in Phase}
        phases.append(sum(slowest.values()))
        slowest.pop(Phase.TRACE)
        probes.append(max(slowest.values()))
        ends = [
            took[name, Phase.WORKFLOW] + took.get((name, Phase.TRACE), 0) for name, p in took if p is Phase.WORKFLOW
        ]
        with_traces.append(max([*ends, *probes[-1:]]))
        return float(validated.seconds)

    once()
    for warm in (probes, phases, with_traces):
        warm.clear()
    body = alternate(bench.rounds, {"slipway": once}, lambda words: bench.tell(f"validate: {words}"))["slipway"]
    section = Section(
        "Validate: the flow's body beside its slowest probe", ("beside", "its time", "body", "ratio", "target", "")
    )
    section.add("the slowest probe: a workflow until its trace is found", seconds(with_traces), seconds(body),
                *judged(median(body) / median(with_traces), TARGET), strong=True)  # fmt: skip
    section.add(
        "the slowest probe, without its trace",
        seconds(probes),
        seconds(body),
        *judged(median(body) / median(probes), TARGET),
    )
    section.add("the slowest of each phase, one after the other", seconds(phases), seconds(body),
                times(median(body) / median(phases)), "", "")  # fmt: skip
    section.notes.append(
        "The phases (health, MCP tools, workflows, traces) follow one another: what is not healthy is sent no workflow."
    )
    return [section]
