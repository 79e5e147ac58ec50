"""The body of the deploy flow beside a plain script that gives the same docker commands, and beside peers."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle

from benchmarks import plain
from benchmarks.bench import Bench
from benchmarks.command import BenchmarkFailed
from benchmarks.lab import NAME
from benchmarks.measure import Section, alternate, judged, ratio, seconds, timed, times
from benchmarks.peers.tool import Peer, install, peers
from benchmarks.plain import Prepared
from benchmarks.prefect_runs import timeline
from benchmarks.slipway import Ran, command, in_process, where
from flows.deploy import deploy

TARGET = 1.10
_OURS, _PLAIN = "slipway's body", "plain script"


@dataclass
class _Side:
    """One tool; notes how many SSH connections its deploys took, and how many containers each replaced."""

    bench: Bench
    work: Callable[[Prepared], float]
    connections: set[int] = field(default_factory=set)
    replaced: set[int] = field(default_factory=set)

    def deploy(self, release: Prepared) -> float:
        connections, containers = self.bench.lab.connections(), self.bench.lab.containers()
        spent = self.work(release)
        self.connections.add(self.bench.lab.connections() - connections)
        self.replaced.add(len(self.bench.lab.containers() - containers))
        return spent


def measure(bench: Bench) -> list[Section]:
    """How long a deploy takes by each tool (nothing, one service, every service changed), and where our time goes."""
    bench.start_over()
    base, one, another, every, all_again = list(_published(bench))
    ran: list[Ran] = []
    work, note = _peers(bench)
    sides = {
        _OURS: _Side(bench, lambda release: _slipway(release, ran)),
        _PLAIN: _Side(bench, lambda release: _plain(bench, release)),
        **{name: _Side(bench, deploy) for name, deploy in work.items()},
    }
    for side in sides.values():  # warm: no tool pays for its first time
        side.deploy(base)
    columns = ("deploy", "tool", "time", "ratio", "target", "", "containers", "connections")
    section = Section("Deploy: the flow's body beside the same docker commands over one ssh, and beside peers", columns)
    ours: dict[str, list[Ran]] = {}
    for case, turns in (
        ("nothing changed", (base,)),
        ("one service changed", (one, another, base)),
        ("every service changed", (every, all_again, base)),
    ):
        ran.clear()
        for side in sides.values():
            side.replaced.clear()
        _add(section, case, _measured(bench, case, sides, turns), sides)
        ours[case] = list(ran)
    section.notes += [
        "A change is pulled from the registry each time. The plain script gives the same docker commands as the "
        "flow, built by the same functions. The peers (Ansible: community.docker) put the same "
        "files there and run Compose with `up --wait`; they find a login and check nothing. "
        "Containers: how many were replaced. Connections: by the droplet's sshd log.",
        *note,
    ]
    return [
        section,
        where("Where a deploy's time goes: one service changed, in this process", ours["one service changed"]),
    ]


def _measured(bench: Bench, case: str, sides: dict[str, _Side], turns: tuple[Prepared, ...]) -> dict[str, list[float]]:
    """Every deploy goes to the next of these releases. Three of them for two or four sides: each takes each way."""
    order = cycle(turns)

    def deploy(side: _Side) -> Callable[[], float]:
        def once() -> float:
            bench.lab.forget_unused_images()
            return side.deploy(next(order))

        return once

    work = {name: deploy(side) for name, side in sides.items()}
    return alternate(bench.rounds, work, lambda words: bench.tell(f"deploy, {case}: {words}"))


def _published(bench: Bench) -> Iterator[Prepared]:
    sample = bench.ours
    for change in (sample.tag, *[sample.change_one_service] * 2, *[sample.change_every_service] * 2):
        tag = change()
        bench.tell(f"deploy: building and pushing {tag}")
        command("build-push", "--stack", str(bench.ours.directory))
        yield plain.prepare(tag)


def _slipway(release: Prepared, ran: list[Ran]) -> float:
    began = time.time()
    deployed = in_process(lambda: deploy(release.release.tag, NAME, NAME))
    ran.append(Ran(time.time() - began, timeline("deploy", began, time.time())))
    return float(deployed.seconds)


def _plain(bench: Bench, release: Prepared) -> float:
    to_pull = plain.missing(bench, release)
    return timed(lambda: plain.deploy(bench, release, to_pull))


def _peers(bench: Bench) -> tuple[dict[str, Callable[[Prepared], float]], list[str]]:
    """Peers that can be installed here, and the reason if they cannot."""
    try:
        install(bench)
    except BenchmarkFailed as error:
        return {}, [f"Ansible and pyinfra are left out: {str(error).splitlines()[-1]}"]

    def work(peer: Peer) -> Callable[[Prepared], float]:
        return lambda release: timed(lambda: peer.deploy(bench, release))

    return {peer.name: work(peer) for peer in peers()}, []


def _add(section: Section, case: str, found: dict[str, list[float]], sides: dict[str, _Side]) -> None:
    alone = found[_PLAIN]
    for name, spent in found.items():
        counted = [", ".join(map(str, sorted(seen))) for seen in (sides[name].replaced, sides[name].connections)]
        cells = ("", "", "")
        if name == _OURS:
            cells = judged(ratio(spent, alone), TARGET)
        elif name != _PLAIN:
            cells = (times(ratio(spent, alone)), "", "")
        section.add(case, name, seconds(spent), *cells, *counted, strong=name == _OURS)
