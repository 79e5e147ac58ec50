"""A promotion of the sample stack is approved in the Prefect UI. `SLIPWAY_PICTURES=docs/images` keeps pictures of it.

(Their coloured circles need a font: apt-get install --no-install-recommends fonts-noto-color-emoji.)
Only when everything is wanted, or pictures are: test_question has the same dialog without a lab, and
tests/faults/promotion/test_approval.py has what follows from every answer.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from fault import Fault

from flows.core.release.role import home_stack
from tests.browser.prefect_api import artifacts, waiting
from tests.browser.prefect_ui import PrefectUi
from tests.faults.harness.invariants import when
from tests.faults.harness.slipway_process import SlipwayProcess
from tests.support.lab.cli import slipway_ok
from tests.support.lab.droplet_view import DropletView
from tests.support.lab.lab import find_lab

WANTED = os.environ.get("SLIPWAY_FAULTS") == "all" or "SLIPWAY_PICTURES" in os.environ
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not WANTED, reason="neither SLIPWAY_FAULTS=all nor SLIPWAY_PICTURES=DIRECTORY is set"),
]
STACK = "agents"
WAIT = ["--wait", "120"]
PROBED = ["digests", "order", "health", "tools", "workflows", "data home"]
GATES = [*PROBED, "traces", "trace errors", "error rate", "latency"]
NAME, REASON = "Ada Lovelace", "I looked at both tables"


def active() -> str:
    """The colour that traffic reaches, as clients are told."""
    return httpx.get(f"{find_lab().edge}/.slipway/active", timeout=30).raise_for_status().text.strip()


@pytest.fixture
def idle(chromium: str) -> str:
    """The colour that traffic does not reach; a release stands on both, and one on the data home."""
    at = active()
    colour = "blue" if at == "green" else "green"
    projects = {"data": home_stack(STACK), at: STACK, colour: STACK}
    bare = [droplet for droplet, project in projects.items() if not DropletView(droplet, project).containers()]
    tag = f"browser-{uuid4().hex[:8]}"
    if bare:
        slipway_ok("build-push", "--tag", tag)
    for droplet in bare:
        to = ["deploy-home", "--approval", "never"] if droplet == "data" else ["deploy", "--droplet", droplet]
        slipway_ok(*to, "--tag", tag, *WAIT)
    return colour


@pytest.fixture
def promotion(idle: str, tmp_path: Path) -> Iterator[SlipwayProcess]:
    """A promotion that asks; when the test ends, it has ended too, and traffic goes where it went before.

    A test asks for the browser after it, so that the browser is gone first: `slipway` needs this thread's event loop.
    """
    before = active()
    process = SlipwayProcess(["promote", "--approval", "always", "--watch", "2", *WAIT], {}, Fault(str(tmp_path)))
    try:
        yield process
    finally:
        if not process.ended:
            process.send(signal.SIGTERM)
            process.wait()
        if active() != before:
            slipway_ok("switch-back")
            assert active() == before


def test_a_promotion_waits_and_is_approved_in_the_browser(idle: str, promotion: SlipwayProcess, ui: PrefectUi):
    runs_there = DropletView(idle, STACK).digests()
    when(lambda: promotion.steps() and waiting(promotion.run()), 120)
    run = promotion.run()

    ui.open_run(run, "Paused", f"waiting for an answer (3600 s at most): slipway approve 'promote {STACK}'")
    ui.picture("approval-paused")

    question, (plan, gates) = ui.open_question()
    assert f" on {idle} ({idle}), away from " in question
    assert {row[0] for row in plan[1:]} == set(runs_there)
    assert all(f"@sha256:{row[3]}" in " ".join(runs_there[row[0]]) for row in plan[1:])
    assert gates[1][:3] == ["digests", "🟢 pass", f"proved on {idle}"]
    assert [row[0] for row in gates[1:]] == GATES

    ui.decide("approve")
    ui.fill_in("Name", NAME)
    ui.fill_in("Reason", REASON)
    ui.picture("approval-question", 1640)
    ui.submit()

    said = promotion.wait()
    assert said.code == 0, said.all
    assert f"Approved by {NAME}: {REASON}" in said.out
    assert active() == idle
    ui.open_run(run, "Completed", f"watched {idle} ({idle}) for ")
    ui.picture("approval-answered")

    key = f"gates-{STACK}-{idle}"
    _, table = ui.open_artifact(artifacts(key, run)[0], key)  # as they were read before the question
    assert [row[0] for row in table[1:]] == GATES
    ui.picture("gates", 800, 1750)
