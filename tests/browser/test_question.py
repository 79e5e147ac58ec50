"""A run asks, and a person reads the question in the Prefect UI and answers it there. No lab is needed for that."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from uuid import uuid4

import pytest
from prefect import flow

from flows.api.approvals import Waiting, give_answer
from flows.api.client import PrefectApi
from flows.core.gates.verdict import GateResult, Verdict
from flows.core.traffic.approval import approval_question, coloured_verdict
from flows.core.traffic.promotion_plan import Change, PromotionPlan
from flows.tasks.runs.artifacts import table
from flows.tasks.traffic.approval import ask_for_approval
from tests.browser.prefect_api import artifacts, waiting
from tests.browser.prefect_ui import PrefectUi
from tests.faults.harness.invariants import when

pytestmark = pytest.mark.browser
TIMEOUT = 300
NAME, REASON = "Ada Lovelace", "I looked at both tables"
OLD, NEW = (f"registry:5000/web@sha256:{letter * 64}" for letter in "ab")
PLAN = PromotionPlan(
    stack="agents", to="blue", left="green", target=("blue",), switch="traffic switch edge",
    client_impact="Nothing is cut.", tag="v2", old_tag="v1", keys=("A (added)",), notes=(), mark="",
    changes=(Change("store", OLD, OLD), Change("web", OLD, NEW)),
)  # fmt: skip
GATES = [
    GateResult("health", Verdict.PASS, "2 of 2", "every health probe passes"),
    GateResult("latency", Verdict.INCONCLUSIVE, "no data | none", "at most 5 s"),
]
SHOWN = [["health", "🟢 pass", "2 of 2"], ["latency", "🟡 inconclusive", "no data | none"]]


@flow
def question_run() -> str:
    """Show the gates and ask, as a promotion does. Returns what was answered."""
    rows: list[dict[str, object]] = [
        {"gate": gate.gate, "verdict": coloured_verdict(gate), "found": gate.found} for gate in GATES
    ]
    table("gates-agents-blue", rows, "blue (blue): inconclusive")
    return ask_for_approval(approval_question(PLAN, GATES, 60), PLAN.sentence, TIMEOUT).words


@dataclass
class Asking:
    """A run that asks, in a thread."""

    name: str
    outcome: Future[str]

    def waiting(self) -> Waiting | None:
        """What it waits with; None when it does not wait yet."""
        assert not self.outcome.done(), self.outcome.result()
        return waiting(self.name)


@pytest.fixture
def asking(chromium: str) -> Iterator[Asking]:
    """A run that asks; it does not outlive the test."""
    name = f"promote {uuid4().hex[:8]}"
    with ThreadPoolExecutor(1) as thread:
        asking = Asking(name, thread.submit(question_run.with_options(flow_run_name=name)))
        try:
            when(asking.waiting, 60)
            yield asking
        finally:
            if left := waiting(name):
                with PrefectApi() as api:
                    give_answer(api, left, "reject", NAME, "the test is over")


def test_a_question_is_read_and_answered_in_the_browser(asking: Asking, ui: PrefectUi):
    asked = asking.waiting()
    assert asked
    run = str(asked.id)
    ui.open_run(run, "Paused", f"waiting for an answer ({TIMEOUT} s at most): slipway approve '{asking.name}'")

    question, (plan, gates) = ui.open_question()
    assert question.startswith(PLAN.sentence)
    assert asked.question.startswith(f"### {PLAN.sentence}\n")  # the same in a terminal
    assert plan == [
        ["service", "change", "old", "new"],
        ["store", "same", "aaaaaaaaaaaa", "aaaaaaaaaaaa"],
        ["web", "changed", "aaaaaaaaaaaa", "bbbbbbbbbbbb"],
    ]
    assert [row[:3] for row in gates] == [["gate", "verdict", "found"], *SHOWN]
    assert "🟡 inconclusive: latency: no data | none (wanted: at most 5 s)" in question

    assert ui.labels() == ["Decision", "Name", "Reason"]
    ui.decide("approve")
    ui.fill_in("Name", NAME)
    assert ui.submit_in_vain() == ["'reason' is a required property"]
    assert asking.waiting() == asked
    ui.fill_in("Reason", REASON)
    ui.submit()

    assert asking.outcome.result(60) == f"{NAME}: {REASON}"
    ui.open_run(run, "Completed", f"approve by {NAME}: {REASON}")
    text, _ = ui.open_artifact(artifacts("approval", run)[-1], "approval")
    assert f"approve by {NAME}: {REASON}" in text
    _, table = ui.open_artifact(artifacts("gates-agents-blue", run)[0], "gates-agents-blue")
    assert table == [["gate", "verdict", "found"], *SHOWN]
