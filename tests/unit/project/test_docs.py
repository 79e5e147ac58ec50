"""What the documentation says is true of the code."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from flows.cli.main import app
from flows.settings import Settings
from tests import CHECKOUT

pytestmark = pytest.mark.unit
PAGES = sorted([*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").glob("*.md")])


def words_of_commands(page: Path) -> set[tuple[str, ...]]:
    """`slipway …` as it stands in code of a page: the words before the first option or argument."""
    code = re.findall(r"```[a-z]*\n(.*?)```|`([^`\n]+)`", page.read_text(), re.DOTALL)
    found = set()
    for block, inline in code:
        for line in (block or inline).splitlines():
            match = re.match(r"\s*(?:\.venv/bin/)?slipway ((?:[a-z]+(?:-[a-z]+)*\s?)+)", line.split("#")[0])
            if match:
                found.add(tuple(match.group(1).split()))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_slipway_command_on_a_page_exists(page: Path):
    root = get_command(app)
    for words in words_of_commands(page):
        command = root
        for word in words:
            if hasattr(command, "commands"):
                assert word in command.commands, f"{page.name} speaks of `slipway {' '.join(words)}`"
                command = command.commands[word]


def test_the_pages_speak_of_the_main_commands():
    said = {words[0] for page in PAGES for words in words_of_commands(page)}
    assert {"release", "build-push", "deploy", "validate", "status", "droplet", "registry", "environment"} <= said


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_table_of_settings_is_the_settings():
    text = (CHECKOUT / "docs" / "SETTINGS.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| .* \| (.+) \|$", text, re.MULTILINE))
    assert rows == {name: field.description for name, field in Settings.model_fields.items()}


def test_the_page_of_settings_shows_the_default_queries():
    text = (CHECKOUT / "docs" / "SETTINGS.md").read_text()
    for name in ("requests_query", "error_rate_query", "latency_query"):
        assert f"\n# {name}\n{Settings.model_fields[name].default}\n" in text


def test_every_make_target_on_a_page_exists():
    makefile = (CHECKOUT / "Makefile").read_text()
    named = {word for page in PAGES for word in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE)}
    assert named
    assert {word for word in named if not re.search(rf"^{word}:", makefile, re.MULTILINE)} == set()
