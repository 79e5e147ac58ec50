"""The pages that are made from the code are what the code says."""

import runpy

import pytest
from typer.main import get_command

from flows.cli.main import app
from flows.cli.terminal.runner import BUG, INTERRUPTED
from flows.core import errors
from tests import CHECKOUT

pytestmark = pytest.mark.unit
MAKER = runpy.run_path(str(CHECKOUT / "docs" / "generate.py"))
PAGES = MAKER["PAGES"]
FAMILIES = MAKER["FAMILIES"]


def page(name: str) -> str:
    return (CHECKOUT / "docs" / name).read_text()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_says(name: str):
    assert page(name) == PAGES[name](), "run: make docs"


def test_every_error_stands_on_the_page_with_the_code_that_the_command_ends_with():
    rows = set(page("ERRORS.md").splitlines())
    shown = {name: getattr(errors, name) for name in errors.__all__ if name not in ("SlipwayError", "Refused")}
    ends = {name: [row for row in rows if row.startswith(f"| `{name}` |")] for name in shown}
    assert len(shown) > 50
    assert {name: len(found) for name, found in ends.items()} == dict.fromkeys(shown, 1)
    assert {name: found[0].split(" | ")[-1] for name, found in ends.items()} == {
        name: f"{error.exit_code} |" for name, error in shown.items()
    }


def test_the_exit_codes_are_those_of_the_command_line():
    assert f"\n| {BUG} | A bug" in page("ERRORS.md")
    assert f"\n| {INTERRUPTED} | Interrupted" in page("ERRORS.md")


def test_every_subject_of_errors_says_which_commands_raise_them():
    modules = {path.stem for path in (CHECKOUT / "flows/core/errors").glob("*.py")} - {"__init__"}
    assert set(FAMILIES) == modules
    root = get_command(app)
    named = {words for text in FAMILIES.values() for words in text.split("`")[1::2]}
    assert {words for words in named if words.split()[0] not in root.commands} == set()


def test_the_maps_name_every_module():
    said = page("MAP.md") + page("MAP_CORE.md")
    for folder in ("flows/core", "flows/tasks", "flows/cli", "blocks", "flows"):
        below = (CHECKOUT / folder).glob("*.py") if folder == "flows" else (CHECKOUT / folder).rglob("*.py")
        names = {str(path.relative_to(CHECKOUT / folder)) for path in below if path.name != "__init__.py"}
        assert names
        assert {name for name in names if f"\n| `{name}` | " not in said} == set()
