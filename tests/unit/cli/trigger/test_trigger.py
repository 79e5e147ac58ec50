"""`slipway trigger` against a server: started once, waited for, and ended as the run ended."""

import json
import subprocess
import sys
from uuid import UUID

import pytest

from blocks.errors import PrefectFailed
from flows.api.client import PrefectApi
from flows.api.connection import ApiConnection
from flows.api.runs import LogPosition, find_deployment, find_run, next_lines, runs_below, start_run
from flows.cli.terminal.waiting import RunWatch, WaitOptions
from flows.core.control.ci.log import GitHubLog
from flows.core.errors import BadSettings, DeploymentMissing, TriggerRefused
from tests import CHECKOUT
from tests.support.http_server import Says, serving

pytestmark = pytest.mark.unit

ID = "00000000-0000-0000-0000-00000000000{}".format


class Prefect:
    """A Prefect that knows one deployment; its runs go through the states that it was given, the last for ever."""

    def __init__(self, *states: tuple[str, str]) -> None:
        self.states = list(states) or [("COMPLETED", "Completed")]
        self.runs: dict[str, dict] = {}
        self.logs: list[dict] = []
        self.steps: list[dict] = []
        self.tables: list[dict] = []
        self.refusal: Says | None = None
        self.busy = 0
        self.cancelled = False
        self.called: dict[str, list[str]] = {}  # run → the runs that it called

    def __call__(self, asked):
        path = asked.path.removeprefix("/api")
        if path == "/deployments/name/release/release":
            return Says(200, {"id": ID(1), "name": "release"})
        if path.endswith("/create_flow_run"):
            key = asked.json()["idempotency_key"]
            self.runs.setdefault(key, {"id": ID(len(self.runs) + 2), "name": "release x", "state": None})
            if self.busy:
                self.busy -= 1
                return Says(503, b"database is locked")
            return self.refusal or Says(201, self.runs[key])
        if path.endswith("/set_state"):
            self.cancelled = True
            return Says(201, {"status": "ACCEPT"})
        if path == "/logs/filter":
            wanted = asked.json()["logs"]
            since, runs = wanted.get("timestamp", {}).get("after_", ""), wanted["flow_run_id"]["any_"]
            lines = [line for line in self.logs if line["timestamp"] >= since and line.get("run", ID(2)) in runs]
            return Says(200, lines)
        if path == "/task_runs/filter":
            runs = asked.json()["flow_runs"]["id"]["any_"]
            return Says(200, [step for step in self.steps if step.get("run", ID(2)) in runs])
        if path == "/flow_runs/filter":
            above = asked.json()["flow_runs"]["parent_flow_run_id"]["any_"]
            found = [one for run in above for one in self.called.get(run, [])]
            return Says(200, [{"id": one, "name": one[-1]} for one in found[: asked.json()["limit"]]])
        if path.startswith("/flow_runs/") and asked.method == "GET":
            kind, name = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            return Says(200, {"id": ID(2), "name": "release x", "state": {"type": kind, "name": name, "message": "m"}})
        if path == "/artifacts/filter":
            runs = asked.json()["artifacts"]["flow_run_id"]["any_"]
            return Says(200, [one for one in self.tables if one.get("run", ID(2)) in runs])
        return Says(404, {"detail": "none"})


@pytest.fixture
def trigger():
    """Starts a run and waits for it; gives its exit code."""

    def run(prefect: Prefect, pause=lambda _s: None, key="k", **options):
        ticks = iter(range(0, 100_000, 10))
        with serving(prefect) as there, PrefectApi(ApiConnection(f"{there.url}/api"), pause=lambda _s: None) as api:
            started = start_run(api, find_deployment(api, "release"), {}, key)
            return RunWatch(
                api, started, GitHubLog(), WaitOptions(**options), pause=pause, clock=lambda: float(next(ticks))
            ).end()

    return run


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ([("SCHEDULED", "Scheduled"), ("RUNNING", "Running"), ("COMPLETED", "Completed")], 0),
        ([("FAILED", "Failed")], 1),
        ([("CRASHED", "Crashed")], 1),
        ([("CANCELLED", "Cancelled")], 4),
        ([("RUNNING", "Running")], 5),
        ([("CANCELLED", "Superseded")], 6),
    ],
)
def test_it_ends_as_the_run_ended(trigger, capsys, states, code):
    assert trigger(Prefect(*states), timeout=60) == code
    said = capsys.readouterr().out
    assert f"/runs/flow-run/{ID(2)}" in said
    assert all(name in said for _, name in states)


def test_a_paused_run_is_waited_for_or_left_as_asked(trigger, capsys):
    states = [("PAUSED", "Paused"), ("COMPLETED", "Completed")]
    assert trigger(Prefect(*states), neutral=True) == 7
    assert f"slipway approve {ID(2)}" in capsys.readouterr().out
    assert trigger(Prefect(*states)) == 0


def test_a_busy_server_and_a_retried_job_start_one_run(trigger):
    prefect = Prefect()
    prefect.busy = 2
    assert [trigger(prefect), trigger(prefect)] == [0, 0]
    assert len(prefect.runs) == 1
    trigger(prefect, key="another")
    assert len(prefect.runs) == 2


def test_errors_of_the_log_are_shown_once_and_command_nothing(trigger, capsys):
    prefect = Prefect(("RUNNING", "Running"), ("RUNNING", "Running"), ("FAILED", "Failed"))
    said = "broke\n::add-mask::x\x1b[2J"
    prefect.logs = [{"id": ID(7), "level": 40, "message": said, "timestamp": "2026-01-01T10:00:00Z"}]
    prefect.steps = [{"id": ID(8), "name": "build\n::x::", "state_name": "Completed", "total_run_time": 2.5}]
    assert trigger(prefect) == 1
    out = capsys.readouterr().out
    assert out.count("broke%0A: :add-mask::x") == 1
    assert out.count("Completed after 2.5 s") == 1
    assert not [line for line in out.splitlines() if line.startswith("::") and line.split("::")[1] not in
                ("group", "endgroup", "error")]  # fmt: skip


def test_an_interrupted_wait_says_that_the_run_goes_on_or_cancels_it(trigger, capsys):
    def interrupt(_seconds):
        raise KeyboardInterrupt

    prefect = Prefect(("RUNNING", "Running"))
    assert trigger(prefect, interrupt) == 130
    assert "goes on" in capsys.readouterr().out
    assert not prefect.cancelled
    assert trigger(prefect, interrupt, cancel=True) == 130
    assert prefect.cancelled


def test_a_summary_is_added_to_what_the_file_has(trigger, tmp_path):
    prefect = Prefect()
    prefect.tables = [{"type": "table", "data": json.dumps([{"service": "web"}]), "description": "d", "created": "1"}]
    file = tmp_path / "summary.md"
    file.write_text("before\n")
    trigger(prefect, summary=file)
    assert file.read_text().startswith("before\n## release x\n")
    assert "| web |" in file.read_text()
    with pytest.raises(BadSettings, match="summary"):
        trigger(prefect, summary=tmp_path)


def test_flows_that_were_called_stand_in_the_summary_and_their_errors_in_the_log(trigger, tmp_path, capsys):
    prefect = Prefect(("FAILED", "Failed"))
    prefect.called = {ID(2): [ID(3)], ID(3): [ID(4), ID(2)]}  # promote, and what it called; a circle ends, too
    prefect.steps = [
        {"id": ID(5), "name": "publish", "state_name": "Completed", "total_run_time": 1, "start_time": "1"},
        {"id": ID(6), "name": "pull", "state_name": "Failed", "total_run_time": 2, "start_time": "2", "run": ID(4)},
    ]
    prefect.tables = [
        {"type": "table", "data": json.dumps([{"gate": "health"}]), "description": "g", "created": "1", "run": ID(4)}
    ]
    line = {"id": ID(7), "level": 40, "message": "no such image", "timestamp": "2026-01-01T10:00:00Z", "run": ID(4)}
    prefect.logs = [line]
    file = tmp_path / "summary.md"
    assert trigger(prefect, summary=file) == 1
    assert "no such image" in capsys.readouterr().out
    said = file.read_text()
    assert said.index("| health |") < said.index("| publish |") < said.index("| pull |")


def test_no_more_runs_are_looked_at_than_anybody_reads():
    prefect = Prefect()
    prefect.called = {ID(2): [f"00000000-0000-4000-8000-{number:012}" for number in range(300)]}
    with serving(prefect) as there, PrefectApi(ApiConnection(f"{there.url}/api")) as api:
        assert len(runs_below(api, UUID(ID(2)))) == 200
        deep = {f"00000000-0000-4000-8000-{n:012}": [f"00000000-0000-4000-8000-{n + 1:012}"] for n in range(30)}
        prefect.called = deep
        assert len(runs_below(api, UUID(next(iter(deep))))) == 8


def test_who_does_not_wait_is_told_the_link_alone(trigger, capsys):
    assert trigger(Prefect(("RUNNING", "Running")), wait=False) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def ask(prefect, what):
    with serving(prefect) as there, PrefectApi(ApiConnection(f"{there.url}/api"), pause=lambda _s: None) as api:
        return what(api)


def test_what_cannot_be_started_is_refused_by_name():
    prefect = Prefect()
    with pytest.raises(DeploymentMissing, match="nope/nope"):
        ask(prefect, lambda api: find_deployment(api, "nope"))
    prefect.refusal = Says(409, {"detail": "bad parameter"})
    with pytest.raises(TriggerRefused, match="bad parameter"):
        ask(prefect, lambda api: start_run(api, find_deployment(api, "release/release"), {}, "k"))


@pytest.mark.parametrize("content", [[], {"id": 1}, {"id": ID(2), "name": "x", "state": 5}, b"<html>"])
def test_what_is_no_run_and_no_log_is_refused(content):
    with pytest.raises(PrefectFailed):
        ask(lambda _asked: Says(200, content), lambda api: find_run(api, ID(2)))
    with pytest.raises(PrefectFailed):
        ask(lambda _asked: Says(200, content or {}), lambda api: next_lines(api, [ID(2)], 40, LogPosition()))


def test_it_imports_only_what_its_documentation_installs():
    """`pip install --no-deps` with httpx, pydantic, typer and rich is all that CI has."""
    heavy = ("prefect", "paramiko", "yaml", "cyclonedx", "dns", "pydantic_settings", "flows.settings", "flows.tasks")
    code = (
        "import sys, importlib.abc\n"
        "class Missing(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name in {heavy!r}: raise ImportError(name)\n"
        "sys.meta_path.insert(0, Missing())\n"
        "from flows.cli import __main__ as entry\n"
        "sys.argv[1:] = ['trigger', 'release', '-p', 'x']\n"
        "entry.run_slipway()\n"
    )
    env = {"PREFECT_API_URL": "ftp://nobody", "PATH": "/usr/bin:/bin", "GITHUB_SHA": "c"}
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=False, env=env, timeout=60
    )
    assert answer.returncode == 2, answer.stderr
    assert "Unreachable" in answer.stderr
