"""From the moment a candidate is known bad to the last known good release being healthy again."""

from benchmarks import plain
from benchmarks.bench import Bench
from benchmarks.command import BenchmarkFailed
from benchmarks.lab import NAME
from benchmarks.measure import Section, alternate, judged, ratio, seconds, timed
from benchmarks.moments import Moment, first, noted
from benchmarks.plain import Prepared
from benchmarks.prefect_runs import PREFECT, Span
from benchmarks.slipway import Ran, command, in_process, where
from flows.core.errors import ServicesNotReady
from flows.core.steps import Step
from flows.deploy import deploy
from flows.settings import Settings

TARGET = 1.25
_SERVICE = "code-review"  # the one that Sample.break_one_service breaks
_BACK = "Rolled back:"


def measure(bench: Bench) -> list[Section]:
    """Two tables: the ratio, and where the time of a rollback goes."""
    bench.start_over()
    bench.tell("rollback: a good release of nine services, then one that changes all of them and breaks one")
    command("release", "--stack", str(bench.ours.directory))
    good = plain.prepare(bench.ours.tag())
    broken = bench.ours.break_one_service()
    command("build-push", "--stack", str(bench.ours.directory))
    bench.ours.mend()
    bad, ran = plain.prepare(broken), []

    def slipway() -> float:
        ran.append(_slipway(bad))
        return ran[-1].seconds

    found = alternate(
        bench.rounds,
        {"slipway": slipway, "script": lambda: _plain(bench, bad, good)},
        lambda words: bench.tell(f"rollback: {words}"),
    )
    section = Section(
        "Rollback: a candidate is known bad, until the last known good release is healthy again",
        ("slipway", "time", "plain `docker compose up -d --wait`", "ratio", "target", ""),
    )
    ours, theirs = found["slipway"], found["script"]
    section.add("failure hook and debug bundle included", seconds(ours), seconds(theirs),
                *judged(ratio(ours, theirs), TARGET), strong=True)  # fmt: skip
    section.notes.append(
        f"All nine services differ, {_SERVICE} ends at its start. Known bad: it has restarted more than "
        f"{Settings().restarts_allowed} times. The plain side starts from the same state, over one ssh connection, "
        "with the old images there; it looks at nothing, writes nothing down and proves nothing."
    )
    return [section, where("Where the time of a rollback goes", ran, "from known bad to healthy")]


def _slipway(bad: Prepared) -> Ran:
    """The deploy of the broken release, in this process; its rollback is what is measured."""
    with noted() as moments:
        story = in_process(lambda: _failing(bad.release.tag))
    if _BACK not in story:
        raise BenchmarkFailed(f"the broken release was not rolled back: {story or 'it did not fail'}")
    spans = _pieces(moments)
    return Ran(sum(span.seconds for span in spans), spans)


def _failing(tag: str) -> str:
    try:
        deploy(tag, NAME, NAME)
    except ServicesNotReady as error:
        return str(error)
    return ""


def _pieces(moments: list[Moment]) -> list[Span]:
    """What happened one after the other, from what the task that waits says last before it fails."""
    watch = [m for m in moments if (m.flow, m.task) == ("deploy", Step.WAIT.value)]
    failed = first(watch, "the candidate failed", lambda m: m.words.startswith("Task run failed"))
    at = watch[watch.index(failed) - 1].at
    gathered = first(watch, "its failure hook was done", lambda m: m.ends_badly)
    back = [m for m in moments if m.flow == "rollback"]
    begun = first(back, "the rollback began", lambda m: m.words.startswith("Beginning"))
    ends = [
        ("last words of the broken service, for the error", failed),
        ("the failure hook: a debug bundle", gathered),
        (f"{PREFECT} rollback starts", begun),
        *[(name, _end(back, step)) for name, step in _STEPS.items()],
    ]
    spans = []
    for name, moment in ends:
        spans.append(Span(name, moment.at - at))
        at = moment.at
    return spans


_STEPS = {
    "blocks, lock, history, and what the kept release is": Step.LOOK_BACK,
    "make current": Step.SWITCH,
    "start services: `docker compose up -d`": Step.START,
    "wait until ready": Step.WAIT,
}


def _end(back: list[Moment], step: Step) -> Moment:
    return first(back, f"'{step.value}' was done", lambda m: m.task == step.value and m.ends_well)


def _plain(bench: Bench, bad: Prepared, good: Prepared) -> float:
    plain.put(bench, bad)
    mine = f"--filter label=com.docker.compose.project={NAME} --filter label=com.docker.compose.service={_SERVICE}"
    restarts = f"$(docker inspect --format '{{{{.RestartCount}}}}' $(docker ps --all --quiet {mine}))"
    bench.lab.inside(f'until [ "{restarts}" -gt {Settings().restarts_allowed} ]; do sleep 0.15; done')
    return timed(lambda: plain.go_back(bench, good))
