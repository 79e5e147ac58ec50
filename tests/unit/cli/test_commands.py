"""Commands: what they ask of their flows, and input that cannot be meant."""

import ast
import importlib
import inspect
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner

from flows import settings
from flows.cli import cloud, main, traffic
from flows.cli.terminal import options
from flows.core.cloud.rehearsal import Rehearsed
from flows.core.gates.verdict import Verdict
from flows.core.insight.stability.condition import Stability
from flows.core.results import GateReport, TrafficMoved
from tests import CHECKOUT

pytestmark = pytest.mark.unit

CLI = CHECKOUT / "flows" / "cli"
REPORT = Rehearsed("shop", "v1", Stability("v1", 9.0, 3, 3, 0, 0, ()))
MOVED = TrafficMoved("blue", "green", "v1", 0.0, 0.1, 0.2)


def calls_of_flows() -> dict[str, tuple[Path, set[str]]]:
    """`module:name` → where it is called, and the keywords it is given."""
    found = {}
    for path in CLI.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "run_flow":
                [flow] = node.args
                found[ast.literal_eval(flow)] = (path, {str(keyword.arg) for keyword in node.keywords})
    return found


CALLS = calls_of_flows()


def said(*words: str):
    return CliRunner(env={"COLUMNS": "120", "TERM": "dumb"}).invoke(main.app, list(words))


@pytest.mark.parametrize("flow", CALLS)
def test_a_command_knows_its_flow_and_all_of_its_parameters(flow):
    module, _, name = flow.partition(":")
    parameters = inspect.signature(getattr(importlib.import_module(module), name).fn).parameters
    assert CALLS[flow][1] - {"verbose", "quiet", "asks", "confirms"} <= set(parameters)


def test_every_deployment_is_called_by_its_command():
    own = {"canary", "hooks", "settings", "__init__", "status", "history", "stability"}  # the last three look
    assert {flow.partition(":")[0] for flow in CALLS} == {
        f"flows.{path.stem}" for path in (CHECKOUT / "flows").glob("*.py") if path.stem not in own
    }


def test_the_choices_are_those_of_the_settings():
    def choices(option: object) -> tuple[str, ...]:
        literal, _none = get_args(get_args(option)[0])
        return get_args(literal)

    assert choices(options.StrategyOption) == get_args(settings.Strategy)
    assert choices(options.ApprovalOption) == get_args(settings.Approval)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["deploy", "--tag", "v1", "--strategy", "quick"], "'quick' is not one of 'rolling', 'prefetch', 'recreate'"),
        (["release", "--strategy", ""], "'' is not one of 'rolling', 'prefetch', 'recreate'"),
        (["promote", "--approval", "yes"], "'yes' is not one of 'never', 'inconclusive', 'always'"),
        (["decommission", "d", "--approval", "yes"], "'yes' is not one of 'never', 'inconclusive', 'always'"),
        (["promote", "--to", "red"], "'red' is not one of 'green', 'blue'"),
        (["switch-back", "--to", "red"], "'red' is not one of 'green', 'blue'"),
        (["gates", "--colour", "red"], "'red' is not one of 'green', 'blue'"),
        (["deploy"], "Missing option '--tag'"),
        (["relase"], "No such command 'relase'"),
        (["validate", "--tag", "v1"], "No such option"),
        (["droplet", "add", "green", "--host", "h", "--key-file", "/none"], "does not exist"),
        (["debug-agent", "--local", "--droplet", "green"], "one place is looked at"),
        (["approve", "--reject", "--hold"], "one answer is given"),
        (["history", "--wait", "3"], "No such option"),
    ],
)
def test_input_that_cannot_be_meant_is_refused_with_2(words, complaint):
    answer = said(*words)
    assert answer.exit_code == 2
    assert complaint in " ".join(answer.output.replace("│", " ").split())
    assert "Traceback" not in answer.output


@pytest.mark.parametrize(
    ("module", "words", "result"),
    [
        (traffic, ["switch-back", "--force"], MOVED),
        (traffic, ["switch-back", "--even-if-sick"], MOVED),
        (cloud, ["rehearse", "--force"], REPORT),
        (cloud, ["rehearse", "--even-so"], REPORT),
    ],
)
def test_force_goes_on_whatever_is_wrong_by_its_old_name_too(module, words, result, monkeypatch):
    asked = []
    monkeypatch.setattr(module, "run_flow", lambda _flow, **keywords: asked.append(keywords) or result)
    assert said(*words).exit_code == 0
    assert said(words[0]).exit_code == 0
    assert [keywords["force"] for keywords in asked] == [True, False]
    help_text = said(words[0], "--help").output
    assert "--force" in help_text
    assert "--even-" not in help_text


def test_gates_tell_their_verdict_by_the_exit_code(monkeypatch):
    codes = {}
    for verdict in Verdict:
        report = GateReport("blue", (), verdict, 1.0, 1.0)
        monkeypatch.setattr(traffic, "run_flow", lambda *_, report=report, **__: report)
        codes[verdict.value] = said("gates").exit_code
    assert codes == {"pass": 0, "fail": 1, "inconclusive": 3}
