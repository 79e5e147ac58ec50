"""What looks, beside plain `ssh` with the same commands: in a process of its own, and forked by a worker.

And what each kind of command has to import.
"""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.bench import Bench
from benchmarks.command import run
from benchmarks.lab import CHECKOUT, NAME
from benchmarks.measure import Section, alternate, judged, ratio, seconds, timed, times
from benchmarks.prefect_runs import api_client
from benchmarks.workers import bench_worker
from blocks import Droplet
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.sections import section_script
from flows.core.insight.status import status_script
from flows.core.records.storage import history_sections

TARGET = 2.0
_THREE = tuple(f"{NAME}-{number}" for number in range(3))
_COMMANDS: dict[str, Callable[[StackDirectory], str]] = {
    "status": status_script,
    "history": lambda directory: section_script(history_sections(directory)),
}
# What a command waits for, besides the interpreter.
_IMPORTS = {
    "`slipway --help`": "flows.cli.main",
    "`slipway trigger`": "flows.cli.trigger.command, flows.cli.terminal.waiting, flows.core.control.ci.trigger",
    "`slipway status`": "flows.cli.looking.status, flows.looking.status, flows.tasks.stack.project",
    "`slipway plan`": "flows.cli.traffic, flows.looking.plan, flows.tasks.stack.project",
    "`slipway approve`": "flows.cli.approval, flows.api.approvals",
    "`slipway deploy`": "prefect.main, flows.cli.main, flows.deploy",
    "`slipway release`": "prefect.main, flows.cli.main, flows.release",
}


def measure(bench: Bench) -> list[Section]:
    """Two tables: commands that look, and imports."""
    return [_looking(bench), _imports(bench)]


def _looking(bench: Bench) -> Section:
    columns = ("three droplets", "in a process of its own", "forked by a worker", "plain `ssh`", "own: ratio", "target",
               "", "forked: ratio")  # fmt: skip
    section = Section("What looks, beside plain ssh", columns)
    with ExitStack() as stack:
        api = stack.enter_context(api_client())
        stack.enter_context(_three(bench))
        stack.enter_context(bench_worker(api, "fork"))
        for command, script in _COMMANDS.items():
            sides = {
                "own": _ours(command, forked=False),
                "forked": _ours(command, forked=True),
                "ssh": _by_hand(bench, script(StackDirectory("/opt/slipway", NAME))),
            }
            for work in sides.values():
                work()
            found = alternate(bench.rounds, sides, lambda words: bench.tell(f"looking: {words}"))
            section.add(
                f"`slipway {command}`", *(seconds(found[side]) for side in ("own", "forked", "ssh")),
                *judged(ratio(found["own"], found["ssh"]), TARGET), times(ratio(found["forked"], found["ssh"])),
            )  # fmt: skip
    section.notes.append("`ssh` runs the same script on each, three at a time, and shows nothing of it.")
    return section


def _imports(bench: Bench) -> Section:
    section = Section("What a command imports", ("command", "the whole process", "beside `python -c pass`"))
    sides = {name: _python(f"import {modules}") for name, modules in {"plain": "sys", **_IMPORTS}.items()}
    for work in sides.values():
        work()
    found = alternate(bench.rounds, sides, lambda _words: None)
    for name in _IMPORTS:
        section.add(name, seconds(found[name]), times(ratio(found[name], found["plain"])))
    return section


@contextmanager
def _three(bench: Bench) -> Iterator[None]:
    """The benchmark's droplet under three names, as if there were three."""
    before = dict(os.environ)
    with ExitStack() as stack:
        droplet = Droplet(
            host="127.0.0.1", port=bench.lab.ssh_port, private_key=bench.lab.private_key.read_text(),
            host_key=bench.lab.host_key(),
        )  # fmt: skip
        for name in _THREE:
            droplet.save(name, overwrite=True)
            stack.callback(Droplet.delete, name)
        os.environ.update(SLIPWAY_DROPLETS=json.dumps(_THREE), SLIPWAY_SWITCH="", SLIPWAY_ACTIVE_URL="")
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def _ours(command: str, *, forked: bool) -> Callable[[], float]:
    env = {"SLIPWAY_FORK": str(int(forked))}
    return lambda: timed(lambda: run([sys.executable, "-m", "flows.cli", command], env=env, cwd=CHECKOUT))


def _by_hand(bench: Bench, script: str) -> Callable[[], float]:
    argv = [*bench.ssh(), f"sh -c {shlex.quote(script)}"]

    def work() -> None:
        started = [subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) for _ in _THREE]
        for process in started:
            process.wait(60)

    return lambda: timed(work)


def _python(code: str) -> Callable[[], float]:
    return lambda: timed(lambda: run([sys.executable, "-c", code], cwd=CHECKOUT))
