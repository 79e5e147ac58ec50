"""Slipway's way: the idle colour gets the release, proves itself, and a state file moves traffic to it."""

import time
from itertools import cycle

from benchmarks.command import BenchmarkFailed
from benchmarks.load import Running, load
from benchmarks.slipway import in_process
from benchmarks.switches.ground import STACK, Ground
from benchmarks.switches.way import Decision, Way
from flows.promote import promote
from flows.switch_back import switch_back

NAME = "slipway promote, switched by a state file"
BACK = 4
_GIVEN_UP_AFTER = 3
_BOUNDS = {"seconds": 3600.0, "requests": 450_000}


def measure(ground: Ground, rounds: int, requests: int, rest: float) -> Way:
    """Promote release after release, then switch back and forth.

    Args:
        requests: the load goes on until it has made so many.
        rest: seconds between two rounds: what clients began on the colour that was left ends there.
    """
    way = Way(NAME, rounds)
    with load(ground.url, **_BOUNDS) as running:
        running.wait(rest)
        _promote(ground, way, running, rest)
        for _ in range(BACK if way.decisions else 0):
            _switch_back(ground, way)
            if not running.wait(rest):
                break
        running.wait(rest, requests=requests)
        if not running.runs:
            way.trouble.append("the load ended by itself before the rounds were done")
    way.result = running.result
    return way


def _promote(ground: Ground, way: Way, running: Running, rest: float) -> None:
    tags, in_a_row = cycle(reversed(ground.tags)), 0  # with three, none goes where it stands already
    for number in range(1, way.wanted + 1):
        tag = next(tags)
        try:
            promoted = in_process(lambda tag=tag: promote(stack=STACK, tag=tag, approval="never", watch=0.0))  # type: ignore[misc]
        except BenchmarkFailed:
            in_a_row += 1
            way.trouble.append(f"promotion {number} of {tag} failed")
            if in_a_row == _GIVEN_UP_AFTER:
                way.trouble.append(f"given up after {in_a_row} failures in a row")
                return
            continue
        in_a_row = 0
        way.done += 1
        way.decisions.append(Decision(promoted.decided_at, time.time(), left=promoted.previous_colour))
        ground.tell(f"promotion {number} of {way.wanted}: {tag} on {promoted.colour}, {promoted.seen_after:.2f} s")
        if not running.wait(rest):
            return


def _switch_back(ground: Ground, way: Way) -> None:
    try:
        turned = in_process(lambda: switch_back(stack=STACK))
    except BenchmarkFailed:
        way.trouble.append("a switch back failed")
        return
    way.back.append(Decision(turned.decided_at, time.time(), left=turned.previous_colour))
    ground.tell(f"switched back to {turned.colour}, {turned.seen_after:.2f} s")
