"""`--destination`: which commands take it, from where, and what becomes of it."""

import ast

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from flows.cli import main
from flows.cli.terminal.destination import WITHOUT
from flows.cli.terminal.runner import run_without_prefect
from flows.settings import Settings
from flows.settings.choice import current_choice
from flows.tasks.runs.declaration import flow
from tests import CHECKOUT

pytestmark = pytest.mark.unit
FUNCTIONS = {
    node.name: node
    for path in (CHECKOUT / "flows/cli").rglob("*.py")
    for node in ast.parse(path.read_text()).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("slipway_")
}


def commands(command=None):
    inside = getattr(command or get_command(main.app), "commands", None)
    return [command] if inside is None else [one for each in inside.values() for one in commands(each)]


def test_every_command_takes_it_but_those_that_read_no_settings():
    without = {
        command.callback.__name__ for command in commands() if "destination" not in {p.name for p in command.params}
    }
    assert without == WITHOUT
    assert not [name for name in WITHOUT if "Settings" in ast.unparse(FUNCTIONS[name])]


@pytest.mark.parametrize("words", [["--destination", "b", "status"], ["status", "--destination", "b"],
                                   ["--destination", "a", "status", "--destination", "b"]])  # fmt: skip
def test_it_stands_in_front_of_the_command_or_behind_it(words):
    seen = []

    @main.app.command("see-destination", hidden=True, rich_help_panel="Flows")
    def slipway_see_destination() -> None:
        """See."""
        run_without_prefect(lambda: seen.append(current_choice().destination))

    try:
        said = CliRunner().invoke(main.app, ["see-destination" if word == "status" else word for word in words])
    finally:
        main.app.registered_commands.pop()
    assert (said.exit_code, seen) == (0, ["b"])
    assert current_choice().destination == ""


def test_a_command_that_goes_nowhere_refuses_it():
    said = CliRunner().invoke(main.app, ["--destination", "x", "check"])
    assert said.exit_code == 2
    assert "reads no settings" in " ".join(said.output.split())


def test_a_flow_reads_its_settings_as_those_of_its_destination_and_flows_inside_inherit_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "slipway.toml").write_text('[destinations.a]\ndroplet = "x"\n[destinations.b]\ndroplet = "y"\n')

    @flow(name="inner")
    def inner(stack: str | None = None) -> str:
        return Settings().droplet

    @flow(name="outer")
    def outer() -> list[str]:
        return [inner.fn(), inner.fn(stack="shop"), inner.fn(destination="a"), Settings().droplet]

    assert outer.fn(destination="b") == ["y", "y", "x", "y"]
    assert current_choice().destination == ""
