"""What VS Code is given: the agents at the edge's one address, and tasks that are commands of `slipway`."""

import json
import re
import shutil
import subprocess

import pytest
import yaml

from tests import CHECKOUT

pytestmark = pytest.mark.unit
MCP = json.loads((CHECKOUT / ".vscode/mcp.json").read_text())
TASKS = json.loads((CHECKOUT / ".vscode/tasks.json").read_text())


def test_the_agents_stand_at_the_edges_stable_address():
    edge = yaml.safe_load((CHECKOUT / "compose/lab/docker-compose.yml").read_text())["services"]["edge"]
    address, port, _ = re.sub(r"\$\{\w+:-(\d+)\}", r"\1", edge["ports"][0]).split(":")
    assert MCP["servers"] == {"agents": {"type": "http", "url": f"http://{address}:{port}/mcp"}}


def test_the_tasks_are_the_commands_of_a_day():
    assert {task["command"] for task in TASKS["tasks"]} == {"slipway"}
    assert [task["args"] for task in TASKS["tasks"]] == [
        ["status"],
        ["plan"],
        ["release", "--promote"],
        ["switch-back"],
        ["debug-agent", "${input:service}"],
    ]


def test_what_a_task_asks_for_is_declared():
    asked = set(re.findall(r"\$\{input:(\w+)\}", json.dumps(TASKS["tasks"])))
    assert asked == {entry["id"] for entry in TASKS["inputs"]}


@pytest.mark.skipif(not shutil.which("git"), reason="there is no git here")
@pytest.mark.parametrize(("file", "kept"), [("mcp.json", True), ("tasks.json", True), ("settings.json", False)])
def test_git_keeps_what_everybody_shares_and_nothing_personal(file, kept):
    ignored = subprocess.run(["git", "-C", CHECKOUT, "check-ignore", "-q", f".vscode/{file}"], check=False, timeout=10)
    assert ignored.returncode == (1 if kept else 0)
