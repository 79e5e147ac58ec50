"""What the documentation says is true of the code."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from blocks import errors as outside_errors
from flows.cli.main import app
from flows.core import errors
from flows.core.control.groups import OPERATORS, PLACES
from flows.core.gates.verdict import Observable
from flows.settings import Settings
from tests import CHECKOUT

pytestmark = pytest.mark.unit
DOCS = CHECKOUT / "docs"
PAGES = sorted([*CHECKOUT.glob("*.md"), *DOCS.glob("*.md")])
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
# The changelog also names what is no more.
each_present_page = pytest.mark.parametrize(
    "page", [p for p in PAGES if p.name != "CHANGELOG.md"], ids=lambda p: p.name
)


@cache
def command_line() -> Any:
    """The root of all commands; Typer makes it anew each time it is asked."""
    return get_command(app)


def code_on(page: Path) -> Iterator[str]:
    """Every line of code on a page: of its blocks, and inside its sentences."""
    for block, inline in re.findall(r"```[a-z]*\n(.*?)```|`([^`\n]+)`", page.read_text(), re.DOTALL):
        yield from (block or inline).splitlines()


def commands_on(page: Path) -> Iterator[tuple[Any, str, list[str]]]:
    """Every `slipway …` on a page: the command that its words lead to, the line, and its options."""
    for line in code_on(page):
        for said in re.findall(r"(?:^|[\s\"'/])slipway ([a-z][^#|;`'\"\\]*)", line.partition("   #")[0]):
            words, command = said.split(), command_line()
            while words and hasattr(command, "commands"):
                word = words.pop(0)
                if not re.fullmatch(r"[a-z]+(-[a-z]+)*", word):
                    break
                assert word in command.commands, f"{page.name} speaks of `slipway {said}`"
                command = command.commands[word]
            yield command, said, re.findall(r"(?<!\S)(--[a-z][a-z-]*)", " ".join(words))


@each_page
def test_every_slipway_command_on_a_page_exists_with_its_options(page: Path):
    for command, said, options in commands_on(page):
        known = {word for one in command.params if not getattr(one, "hidden", False) for word in one.opts}
        known |= {word for one in command.params for word in one.secondary_opts} | {"--help"}
        if page.name != "CHANGELOG.md":
            assert set(options) <= known, f"{page.name} speaks of `slipway {said}`"


def test_the_pages_speak_of_every_command():
    spoken = {said.split()[0] for page in PAGES for _, said, _ in commands_on(page)}
    assert spoken == set(command_line().commands)


@pytest.mark.parametrize("line", ["slipway promot", "slipway droplet ad green", "slipway switch-back --even-if-sick"])
def test_a_command_or_an_option_that_is_no_more_would_be_noticed(tmp_path: Path, line: str):
    (tmp_path / "page.md").write_text(f"Type `{line}`.\n")
    with pytest.raises(AssertionError, match=re.escape(line)):
        test_every_slipway_command_on_a_page_exists_with_its_options(tmp_path / "page.md")


@each_page
def test_every_link_to_a_file_leads_somewhere(page: Path):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_table_of_settings_is_the_settings():
    text = (DOCS / "SETTINGS.md").read_text()
    sections = re.split(r"^## .*?(?:`\[(\w+)\]`)?$", text, flags=re.MULTILINE)
    row = re.compile(r"^\| `(\w+)`( ✋)? \| `SLIPWAY_(\w+)` \| .* \| (.+) \|$", re.MULTILINE)
    rows = {
        variable.lower(): (group, key, bool(operators), description)
        for group, section in zip(["", *sections[1::2]], sections[::2], strict=True)
        for key, operators, variable, description in row.findall(section)
    }
    places = {**PLACES, "destination": ("", "destination")}
    assert rows == {
        name: (*places[name], name in OPERATORS, field.description) for name, field in Settings.model_fields.items()
    }


def test_the_page_of_settings_shows_the_default_queries():
    text = (DOCS / "SETTINGS.md").read_text()
    for name in ("requests_query", "error_rate_query", "latency_query"):
        assert f"\n# {name}\n{Settings.model_fields[name].default}\n" in text


@pytest.mark.parametrize("gate", Observable.__args__)
def test_every_gate_stands_in_the_table_of_gates_and_among_those_that_can_be_observed(gate: str):
    assert f"\n| `{gate}` | " in (DOCS / "BLUE_GREEN_DEPLOYMENT.md").read_text()
    assert f"`{gate}`" in (DOCS / "SETTINGS.md").read_text().partition("Gate names for")[2].replace("\n", " ")


def test_every_make_target_on_a_page_exists():
    makefile = (CHECKOUT / "Makefile").read_text()
    named = {word for page in PAGES for word in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE)}
    assert named
    assert {word for word in named if not re.search(rf"^{word}:", makefile, re.MULTILINE)} == set()


def test_the_readme_lists_every_deployment_and_no_other():
    deployments = {entry["name"] for entry in yaml.safe_load((CHECKOUT / "prefect.yaml").read_text())["deployments"]}
    part = (CHECKOUT / "README.md").read_text().partition("\n## Deployments\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z-]+)` \| .+ \|$", part, re.MULTILINE)) == deployments


def test_the_readme_leads_to_every_page():
    text = (CHECKOUT / "README.md").read_text()
    assert [page.name for page in DOCS.glob("*.md") if f"](docs/{page.name})" not in text] == []


# What is raised by others, and shown as it is.
_OF_OTHERS = {"ModuleNotFoundError", "ConnectError", "ReadTimeout", "ValueError"}
_NAME = re.compile(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)(?:`|: )")


@pytest.mark.parametrize("name", ["TROUBLESHOOTING.md", "INCIDENTS.md", "BLUE_GREEN_DEPLOYMENT.md", "STACK.md"])
def test_every_error_that_a_page_names_exists(name: str):
    named = set(_NAME.findall((DOCS / name).read_text())) - _OF_OTHERS
    assert named
    assert {one for one in named if not hasattr(errors, one) and not hasattr(outside_errors, one)} == set()


# Words of our own that the field does not have, and names that are no more.
_PRIVATE = re.compile(
    r"\b(strangers?|ways? back|cargo|going_back|kiosks?|tents?|wards?|debris|sick|even-so|even-if-sick|BothSick"
    r"|Contradiction|NothingGood|NotOnRecord|NothingAtHome|NotTrusted|SwitchUnclear)\b"
)


@each_present_page
def test_a_page_has_no_private_word(page: Path):
    assert _PRIVATE.findall(page.read_text()) == []


def test_the_glossary_has_each_word_once_in_order():
    text = (DOCS / "GLOSSARY.md").read_text().partition("\n## Words\n")[2]
    words = [row.partition(" | ")[0].removeprefix("| ").lower() for row in text.splitlines() if row.endswith("` |")]
    assert len(words) > 60
    assert words == sorted(set(words))


def test_the_subjects_are_the_folders_of_the_rules():
    table = (DOCS / "GLOSSARY.md").read_text().partition("\n## Subjects\n")[2].partition("\n## ")[0]
    subjects = set(re.findall(r"^\| ([a-z]+) \| ", table, re.MULTILINE)) - {"subject"}
    folders = {path.parent.name for path in (CHECKOUT / "flows/core").glob("*/__init__.py")}
    assert subjects == folders - {"errors"}
