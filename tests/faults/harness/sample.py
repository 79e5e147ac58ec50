"""Which cases of the fault suite are in `make test`: every fault at some point, and every point by some fault.

Faults that strike at the same points (a kill, a cancellation) share them out among each other; `make test-all` has each
fault at each point. The choice is the same each time: it goes by the order of tests and points alone.
"""

from collections import Counter
from collections.abc import Hashable, Sequence

import pytest

# A test that is given one of these strikes at a point of a run, after a delay in it, or with one of several kinds of
# damage. With another parameter, such as the command that meets the damage, it counts as one fault for each value.
POINT_PARAMETERS = ("point", "delay", "damage")
# What a case costs beside others: one that the worker runs starts four processes, each of which imports Prefect.
COST = {"test_cancels": 2}

Strike = tuple[str, Hashable]


def sampled(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The items that are played: all without a point, and of the others one for each point and each fault."""
    strikes = [(item, strike) for item in items if (strike := _strike(item))]
    chosen = share_out([(fault, point, _cost(item)) for item, (fault, point) in strikes])
    left = {item for item, strike in strikes if strike not in chosen}
    return [item for item in items if item not in left]


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
    given = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    name = next((name for name in POINT_PARAMETERS if name in given), None)
    if not name:
        return None
    others = [repr(given[other]) for other in sorted(given) if other != name]
    return " ".join([item.nodeid.partition("[")[0], *others]), _point(item, given[name])


def _point(item: pytest.Item, given: object) -> Hashable:
    """A point of the lists is the same for every module; any other one belongs to the tests of its module."""
    return repr(given) if hasattr(given, "steps") else (item.path.stem, repr(given))


def _cost(item: pytest.Item) -> int:
    return COST.get(item.path.stem, 1)
