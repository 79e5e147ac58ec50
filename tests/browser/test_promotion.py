"""A person is asked in the Prefect UI before traffic moves, reads the plan and the gates there, and answers there."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prefect_ui import Ui
from releasing import OnDroplet, done
from standing import when

from flows.tasks.traffic.approval_answers import find_waiting

pytestmark = pytest.mark.browser
STACK = "agents"
WAIT = ["--wait", "120"]
EDGE = f"http://127.0.0.1:{os.environ.get('SLIPWAY_LAB_EDGE_PORT') or 8080}"
GATES = {
    "digests",
    "order",
    "health",
    "tools",
    "workflows",
    "data home",
    "traces",
    "trace errors",
    "error rate",
    "latency",
}
NAME, REASON = "Ada Lovelace", "I looked at both tables"


def active() -> str:
    """The colour that traffic reaches, as clients are told."""
    return httpx.get(f"{EDGE}/.slipway/active", timeout=30).raise_for_status().text.strip()


def api(method: str, path: str, **body: Any) -> Any:
    """What the Prefect server answers."""
    url = f"{os.environ['PREFECT_API_URL'].rstrip('/')}{path}"
    return httpx.request(method, url, json=body or None, timeout=60).raise_for_status().json()


@dataclass(frozen=True)
class Asking:
    """A promotion, when it was started, and what it says."""

    process: subprocess.Popen[bytes]
    since: str
    output: Path

    def said(self) -> str:
        return self.output.read_text()

    def paused(self) -> list[str]:
        """The id of its Prefect run, if that waits for an answer."""
        assert self.process.poll() is None, self.said()
        return self._paused()

    def ended(self) -> int:
        """Its exit code."""
        try:
            return self.process.wait(180)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not end:\n{self.said()}") from None

    def end(self) -> None:
        """Let nothing of it go on, and leave no question behind."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
        for run in self._paused():
            api("POST", f"/flow_runs/{run}/set_state", state={"type": "CANCELLED"}, force=True)

    def _paused(self) -> list[str]:
        sought = {"state": {"type": {"any_": ["PAUSED"]}}, "start_time": {"after_": self.since}}
        found = api("POST", "/flow_runs/filter", flow_runs=sought, flows={"name": {"any_": ["promote"]}})
        return [run["id"] for run in found if run["name"] == f"promote {STACK}"]


@contextmanager
def asking(place: Path) -> Iterator[Asking]:
    """A promotion that asks; when the block ends, it has ended too, and traffic goes where it went before."""
    before, output = active(), place / "promote.txt"
    argv = [Path(sys.executable).parent / "slipway", "promote", "--approval", "always", "--watch", "2", *WAIT]
    with output.open("wb") as out:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    begun = Asking(process, datetime.now(UTC).isoformat(), output)
    try:
        yield begun
    finally:
        begun.end()
        if active() != before:
            done("switch-back")
            assert active() == before


@pytest.fixture
def idle() -> str:
    """The colour that traffic does not reach; a release stands on both, and one on the data home."""
    at = active()
    colour = "blue" if at == "green" else "green"
    bare = [droplet for droplet in ("data", at, colour) if not OnDroplet(droplet, STACK).containers()]
    if bare:
        tag = f"browser-{uuid4().hex[:8]}"
        done("build-push", "--tag", tag)
        if "data" in bare:
            done("deploy-home", "--tag", tag, "--approval", "never")
        for droplet in set(bare) - {"data"}:
            done("deploy", "--tag", tag, "--droplet", droplet, *WAIT)
    return colour


def artifacts(key: str, run: str) -> list[str]:
    """The ids of a run's artifacts with this key, the newest first."""
    sought = {"artifacts": {"key": {"any_": [key]}, "flow_run_id": {"any_": [run]}}}
    return [found["id"] for found in api("POST", "/artifacts/filter", sort="CREATED_DESC", **sought)]


def test_a_promotion_waits_and_is_approved_in_the_browser(ui: Ui, idle: str, tmp_path: Path):
    runs_there = OnDroplet(idle, STACK).digests()
    with asking(tmp_path) as promotion:
        when(promotion.paused, 120)
        run = promotion.paused()[0]

        ui.open_run(run, "Paused", f"waiting for an answer (3600 s at most): slipway approve 'promote {STACK}'")
        ui.picture("approval-paused")

        assert find_waiting(run).question.startswith("### Traffic of traffic switch ")  # in a terminal

        question, (plan, gates) = ui.open_question()
        assert question.startswith("Traffic of traffic switch ")
        assert f" on {idle} ({idle}), away from " in question
        assert plan[0] == ["service", "change", "old", "new"]
        assert {row[0] for row in plan[1:]} == set(runs_there)
        assert all(f"@sha256:{row[3]}" in " ".join(runs_there[row[0]]) for row in plan[1:])
        assert gates[0] == ["gate", "verdict", "found", "wanted"]
        assert gates[1][:3] == ["digests", "🟢 pass", f"proved on {idle}"]
        assert not {row[0] for row in gates} ^ {"gate", *GATES}

        assert ui.labels() == ["Decision", "Name", "Reason"]
        ui.fill_in("approve", NAME, "")
        assert ui.submit_in_vain()
        assert promotion.paused() == [run]
        ui.fill_in("", "", REASON)
        ui.picture("approval-question", 1640)
        ui.submit()

        assert promotion.ended() == 0, promotion.said()
        assert f"Approved by {NAME}: {REASON}" in promotion.said()
        assert active() == idle
        ui.open_run(run, "Completed", f"watched {idle} ({idle}) for ")
        ui.picture("approval-answered")

        text, _ = ui.open_artifact(artifacts("approval", run)[0], "approval")
        assert f"approve by {NAME}: {REASON}" in text
        key = f"gates-{STACK}-{idle}"
        _, table = ui.open_artifact(artifacts(key, run)[-1], key)  # as they were read before the question
        assert {row[0] for row in table[1:]} == GATES
        ui.picture("gates", 800, 1750)
