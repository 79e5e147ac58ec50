"""Which cases of the fault suite are in `make test`: every fault at some point, and every point by some fault.

Faults that strike at the same points (a kill, a cancellation) share them out among each other; `make test-all` has each
fault at each point. Of what is played on two droplets and on one, the latter plays every sixth test, and it only once;
what means something on one droplet alone is played once. The choice is the same each time: it goes by the order of
tests and points alone.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

import pytest

# A test that is given one of these strikes at a point of a run, after a delay in it, or with one of several kinds of
# damage. With another parameter, such as the command that meets the damage, it counts as one fault for each value.
POINT_PARAMETERS = ("point", "delay", "damage")
# What a case costs beside others: one that the worker runs starts four processes, each of which imports Prefect.
COST = {"test_cancels": 2}

# Where a pair of colours is: the values of the parameter `pair`.
APART, ONE_DROPLET = "two-droplets", "one-droplet"
# Values of the parameter `open_pool`; the first alone is in the sample.
WORKER_TYPES = ("fork", "process")
_EVERY = 6

Strike = tuple[str, Hashable]


def sampled(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The items that are played: all without a point, and of the others one for each point and each fault."""
    items = [item for item in items if _given(item).get("open_pool", WORKER_TYPES[0]) == WORKER_TYPES[0]]
    again = [item for item in items if _on_one_droplet(item)]
    strikes = [(item, strike) for item in items if not _on_one_droplet(item) and (strike := _strike(item))]
    chosen = share_out([(fault, point, _cost(item)) for item, (fault, point) in strikes])
    played = share_of_one_droplet([(_test(item), "pair" in _given(item)) for item in again])
    left = {item for item, strike in strikes if strike not in chosen}
    left |= {item for number, item in enumerate(again) if number not in played}
    return [item for item in items if item not in left]


def share_of_one_droplet(cases: Sequence[tuple[str, bool]]) -> set[int]:
    """Of (test, whether it is played on two droplets as well), the numbers of those that are played on one."""
    first = {test: number for number, (test, _) in reversed(list(enumerate(cases)))}
    both = list(dict.fromkeys(test for test, too in cases if too))
    left = set(both) - set(both[::_EVERY])
    return {number for test, number in first.items() if test not in left}


def share_out(strikes: Sequence[tuple[str, Hashable, int]]) -> set[Strike]:
    """Of (test, point, cost), the pairs that cover every point and every test.

    Each point goes to the test that has the least to do until then; a test that got none gets its first.
    """
    done: Counter[str] = Counter()
    chosen: set[Strike] = set()
    for point in dict.fromkeys(point for _, point, _ in strikes):
        test, cost = min(
            ((test, cost) for test, there, cost in strikes if there == point), key=lambda one: done[one[0]] + one[1]
        )
        done[test] += cost
        chosen.add((test, point))
    first = {test: point for test, point, _ in reversed(strikes)}
    return chosen | {(test, point) for test, point in first.items() if not done[test]}


def _strike(item: pytest.Item) -> Strike | None:
    """The fault and its point; None for a case that has none."""
    given = _given(item)
    name = next((name for name in POINT_PARAMETERS if name in given), None)
    if not name:
        return None
    others = [repr(given[other]) for other in sorted(given) if other != name]
    return " ".join([_test(item), *others]), _point(item, given[name])


def _given(item: pytest.Item) -> Mapping[str, object]:
    """Its parameters."""
    return item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}


def _on_one_droplet(item: pytest.Item) -> bool:
    return _given(item).get("pair") == ONE_DROPLET or "shared" in getattr(item, "fixturenames", ())


def _test(item: pytest.Item) -> str:
    return item.nodeid.partition("[")[0]


def _point(item: pytest.Item, given: object) -> Hashable:
    """A point of the lists is the same for every module; any other one belongs to the tests of its module."""
    return repr(given) if hasattr(given, "steps") else (item.path.stem, repr(given))


def _cost(item: pytest.Item) -> int:
    return COST.get(item.path.stem, 1)
