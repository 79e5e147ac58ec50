"""Every event is emitted in one place of the flows, so that one happening is one event, whichever command it is in."""

import ast
from collections import Counter

import pytest

from flows.core.control import events
from flows.core.control.events import GATES, EventKind
from tests import CHECKOUT

pytestmark = pytest.mark.unit
KINDS = {name: value for name, value in vars(events).items() if isinstance(value, EventKind)}
CALLS = ("emit", "failure_emitted")
# Emitted by the alert receiver, and each by its verdict.
VERDICTS = {name for name in KINDS if KINDS[name] in GATES.values()}
ELSEWHERE = {"ALERT_FIRING", "ALERT_RESOLVED", *VERDICTS}
# Happenings that come about in several ways: traffic goes back after a failure, by hand, and as a canary's share, once
# by hand and once after a failure; a queued run is ended by another one or by itself.
SEVERAL = {"SWITCHED_BACK": 4, "SUPERSEDED": 2}


def test_each_kind_is_emitted_where_it_happens_and_nowhere_else():
    found: Counter[str] = Counter()
    for path in (CHECKOUT / "flows").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in CALLS:
                found[ast.unparse(node.args[0])] += 1
    wanted = {name: SEVERAL.get(name, 1) for name in KINDS.keys() - ELSEWHERE}
    assert {name: count for name, count in found.items() if name in KINDS} == wanted
    assert found["GATES[verdict]"] == 1
