"""`--worker`: a command hands its work to a worker, shows what it does, and ends as the command would have ended."""

import json

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from flows.cli import main
from flows.cli.runs import waiting
from flows.cli.terminal import worker_run
from flows.cli.terminal.handover import BY_WORKER
from tests import CHECKOUT
from tests.support.http_server import Says, serving

pytestmark = pytest.mark.unit
ID = "00000000-0000-0000-0000-00000000000{}".format
RUN, CHILD = ID(2), ID(3)
FAILED = "Flow run encountered an exception: {}: it did not go\nagain: slipway rollback"


class Prefect:
    """A Prefect with a run of each deployment that goes through the states it was given, and called another flow."""

    def __init__(self, *states: tuple[str, str, str]) -> None:
        self.states = list(states)
        self.asked: dict = {}
        self.cancelled = False
        self.deployment = ""

    def __call__(self, asked):
        path = asked.path.removeprefix("/api")
        if path.startswith("/deployments/name/"):
            self.deployment = path.removeprefix("/deployments/name/")
            return Says(200, {"id": ID(1), "name": "x"})
        if path.endswith("/create_flow_run"):
            self.asked = asked.json()
            return Says(201, {"id": RUN, "name": "roll shop back", "state": None})
        if path.endswith("/set_state"):
            self.cancelled = True
            return Says(201, {"status": "ACCEPT"})
        if path == f"/flow_runs/{RUN}":
            kind, name, message = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            return Says(200, {"id": RUN, "name": "roll shop back", "state": {"type": kind, "name": name,
                                                                            "message": message}})  # fmt: skip
        return Says(200, self.listed(path, asked.json() or {}))

    def listed(self, path, body):
        if path == "/flow_runs/filter":
            of = body["flow_runs"]["parent_flow_run_id"]["any_"]
            return [{"id": CHILD, "name": "validate shop", "state": None}] if of == [RUN] else []
        if path == "/task_runs/filter":
            done = {"state_type": "COMPLETED", "total_run_time": 1.5}
            calls = {"state_details": {"child_flow_run_id": CHILD}}
            if body["flow_runs"]["id"]["any_"] == [RUN]:
                return []  # it waits for a worker
            assert body["flow_runs"]["id"]["any_"] == [RUN, CHILD]
            return [{"id": ID(5), "name": "probe health", **done}, {"id": ID(6), "name": "validate-0", "state": calls}]
        if path == "/logs/filter":
            if body["logs"].get("timestamp") or body["logs"]["flow_run_id"]["any_"] == [RUN]:
                return []
            lines = [
                "the disk is [red]nearly full",
                "Engine execution exited with unexpected exception: RollbackFailed: x",
            ]
            return [
                {"id": ID(7 + n), "level": 30 + 10 * n, "message": line, "timestamp": "2026-01-01T10:00:00Z"}
                for n, line in enumerate(lines)
            ]
        rows = [{"release": "`v_1`", "took": 2}]
        table = {"type": "table", "data": json.dumps(rows), "description": "Release v_1 runs", "created": "1"}
        return [{**table, "flow_run_id": RUN}, {**table, "description": "of a step", "flow_run_id": CHILD}]


@pytest.fixture
def command(monkeypatch, tmp_path):
    """Types a command; gives its exit code and what it said."""
    monkeypatch.setattr(waiting, "_POLL_S", 0.0)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))

    def typed(prefect, *words, stdin=""):
        with serving(prefect) as there:
            monkeypatch.setenv("PREFECT_API_URL", f"{there.url}/api")
            said = CliRunner().invoke(main.app, list(words), input=stdin)
        assert not said.exception or isinstance(said.exception, SystemExit), said.exception
        return said.exit_code, said.output

    return typed


def test_a_run_by_a_worker_is_shown_as_if_it_were_done_here(command):
    prefect = Prefect(("SCHEDULED", "Late", ""), ("RUNNING", "Running", ""), ("COMPLETED", "Completed", ""))
    code, said = command(prefect, "rollback", "--to", "v1", "--wait", "5", "--worker", "--destination", "staging")
    assert code == 0
    assert prefect.deployment == "rollback/rollback"
    assert prefect.asked["parameters"] == {
        "to": "v1", "stack": None, "droplet": None, "wait": 5.0, "destination": "staging",
    }  # fmt: skip
    assert prefect.asked["tags"] == ["terminal"]
    lines = [line.split("  ")[0] or line.strip().split("   ")[0] for line in said.splitlines()]
    assert [line.strip() for line in lines if line.startswith(("▶", "✓"))] == [
        "▶ roll shop back", "▶ validate shop", "✓ probe health",
    ]  # fmt: skip
    assert "No worker has taken it yet" in said
    assert said.count("the disk is [red]nearly full") == 1
    assert "Engine execution" not in said
    assert "v_1" in said.partition("Release v_1 runs")[2]
    assert "of a step" not in said
    assert f"/runs/flow-run/{RUN}" in said


@pytest.mark.parametrize(
    ("name", "code"), [("RollbackFailed", 1), ("NoRollbackTarget", 2), ("NotApproved", 3), ("ZeroDivisionError", 1)]
)
def test_it_ends_with_the_error_and_the_exit_code_that_the_command_has_here(command, name, code):
    ended, said = command(Prefect(("FAILED", "Failed", FAILED.format(name))), "rollback", "--worker")
    assert ended == code
    assert f"✗ {name}: it did not go\nagain: slipway rollback" in said


def test_a_run_that_crashed_or_gave_way_says_so(command):
    code, said = command(Prefect(("CRASHED", "Crashed", "its process died")), "rollback", "--worker")
    assert (code, "✗ The run failed: its process died" in said) == (1, True)
    code, said = command(Prefect(("CANCELLED", "Superseded", "by another")), "release", "--worker")
    assert (code, "Superseded: by another" in said) == (6, True)


def test_a_question_names_the_command_that_answers_it(command):
    prefect = Prefect(("PAUSED", "Paused", ""), ("COMPLETED", "Completed", ""))
    code, said = command(prefect, "promote", "--worker")
    assert (code, f"A person is asked: slipway approve {RUN}" in said) == (0, True)


@pytest.mark.parametrize(
    ("there", "answer", "cancelled"), [(True, "y", True), (True, "n", False), (True, "", False), (False, "y", False)]
)
def test_an_interrupt_asks_whoever_is_there_whether_to_cancel(command, monkeypatch, there, answer, cancelled):
    def interrupt(_seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(waiting.RunWatch.__init__, "__defaults__", (interrupt, waiting.time.monotonic))
    monkeypatch.setattr(worker_run, "somebody_is_there", lambda: there)
    prefect = Prefect(("RUNNING", "Running", ""))
    code, said = command(prefect, "rollback", "--worker", stdin=f"{answer}\n")
    assert (code, prefect.cancelled) == (130, cancelled)
    assert ("is being cancelled" in said) == cancelled
    assert (f"To watch it: prefect flow-run watch {RUN}" in said) != cancelled


def test_a_file_of_this_machine_is_refused_where_the_worker_is_elsewhere(command, monkeypatch, tmp_path):
    (tmp_path / "my.env").write_text("A=1\n")
    monkeypatch.setattr("flows.cli.terminal.handover._on_this_machine", lambda _api: False)
    prefect = Prefect(("COMPLETED", "Completed", ""))
    code, said = command(prefect, "release", "--worker", "--env-file", "my.env")
    assert (code, prefect.asked) == (2, {})
    assert "✗ LocalPath: --env-file my.env: a file of this machine" in said


def test_the_commands_that_take_it_are_those_that_change_something_and_have_a_deployment():
    def commands(command):
        inside = getattr(command, "commands", None)
        return [command] if inside is None else [one for each in inside.values() for one in commands(each)]

    taking = {
        one.callback.__name__ for one in commands(get_command(main.app)) if "worker" in {p.name for p in one.params}
    }
    assert taking == BY_WORKER
    deployments = (CHECKOUT / "prefect.yaml").read_text()
    names = [name.removeprefix("slipway_").replace("_", "-") for name in BY_WORKER]
    assert [name for name in names if f"- name: {name}\n" not in deployments] == []
