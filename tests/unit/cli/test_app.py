"""The application: help that is quick and in order, a version, completion of a shell's words."""

import importlib
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from flows.cli import __main__ as entry
from flows.cli import main as cli
from flows.cli.app import PANELS
from tests import CHECKOUT

pytestmark = pytest.mark.unit

HEAVY = ("prefect", "paramiko", "httpx", "cyclonedx", "blocks", "flows.core", "flows.settings", "flows.tasks")


def every_command(command=None, words: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    command = command or get_command(cli.app)
    inside = getattr(command, "commands", {})
    return [words] * bool(words) + [found for name in inside for found in every_command(inside[name], (*words, name))]


def said(*words: str, width: int = 120):
    return CliRunner(env={"COLUMNS": str(width), "TERM": "dumb"}).invoke(cli.app, list(words))


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_every_command_says_what_it_does(words):
    answer = said(*words, "--help")
    assert answer.exit_code == 0
    described = [line for line in answer.output.splitlines() if line.strip() and "Usage" not in line]
    assert described[0].strip()[0].isupper()
    assert f"Usage: slipway {' '.join(words)}" in answer.output or f"{' '.join(words)} [OPTIONS]" in answer.output


def test_the_panels_stand_in_the_order_in_which_a_person_needs_them():
    assert re.findall(r"─ ([\w ]+?) ─", said("--help").output) == ["Options", *PANELS]
    assert PANELS == ("Set up", "Flows", "Traffic", "Upkeep", "DigitalOcean")


def test_all_commands_and_exit_codes_are_listed():
    text = said("--help").output
    for words in every_command():
        assert len(words) > 1 or f" {words[0]} " in text
    codes = "0 done · 1 it failed · 2 refused, nothing was changed · 3 a person said no, or nobody answered"
    assert f"{codes} · 130 interrupted." in " ".join(text.split())


def test_every_deployment_has_a_command():
    names = re.findall(r"^  - name: ([\w-]+)$", (CHECKOUT / "prefect.yaml").read_text(), re.MULTILINE)
    commands = {"-".join(words) for words in every_command()}
    assert names
    assert set(names) <= commands


def test_the_entry_point_stands_in_the_package():
    scripts = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["scripts"]
    module, function = scripts["slipway"].split(":")
    assert getattr(importlib.import_module(module), function) is entry.run_slipway


def test_the_version_is_that_of_the_package():
    answer = said("--version")
    assert (answer.exit_code, answer.output) == (0, f"slipway {version('slipway')}\n")


@pytest.mark.parametrize("words", [["--help"], ["deploy", "--help"], ["--version"]])
def test_whoever_only_asks_for_help_waits_for_nothing_heavy(words):
    code = (
        "import sys; from flows.cli.main import app\n"
        f"try: app({words!r})\n"
        f"finally: print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert answer.stdout
    assert answer.stderr.strip() == "[]"


@pytest.mark.parametrize("name", sorted(entry.ALONE))
def test_what_looks_waits_for_no_other_command_and_is_the_same_command(name):
    code = (
        "import sys, flows.cli.terminal.runner as runner, flows.cli.__main__ as entry\n"
        "runner.leave = lambda code: (print(sorted(set(" + repr({*HEAVY, "invoke", "flows.cli.main"}) + ") & "
        "{name for name, module in sys.modules.items() if module}), file=sys.stderr), sys.exit(code))\n"
        f"sys.argv = ['slipway', {name!r}, '--help']; entry.run_slipway()"
    )
    terminal = {**os.environ, "COLUMNS": "120", "TERM": "dumb"}
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, env=terminal, capture_output=True, text=True, check=True
    )
    assert answer.stderr.strip() == "[]"
    whole = said(name, "--help").output.replace("root", "slipway", 1)
    assert answer.stdout.split() == whole.split()


def completed(line: str) -> list[str]:
    asked = {"_SLIPWAY_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    return CliRunner(env=asked).invoke(cli.app, [], prog_name="slipway").output.split()


def test_a_shell_can_complete_commands_and_choices():
    assert completed("slipway ro") == ["rollback"]
    assert set(completed("slipway deploy --strategy ")) == {"rolling", "prefetch", "recreate"}
    text = said("--help").output
    assert "--install-completion" in text
    assert "--show-completion" in text
