"""`slipway explain`: what a newcomer reads, its exit code, its JSON."""

import io
import json
from pathlib import Path

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from flows.cli.explanation.command import show_explanation
from flows.cli.main import app
from flows.cli.terminal.console import SummaryConsole
from flows.core.explanation.explanation import (
    ExplainedContent,
    ExplainedMount,
    ExplainedService,
    ExplainedVariable,
    Explanation,
    Refusal,
    Remark,
)
from tests.support.stack.compose_client import needs_compose, write_files

pytestmark = pytest.mark.unit

GOOD = Explanation(
    "shop", "`name:` in compose.yaml", ("compose.yaml",),
    services=(
        ExplainedService("api", "x", published_as="REGISTRY/api:TAG", variables=("A",), files=("conf",),
                         secrets=("s", "t"), services=("db",), replicas=2, profiles=("p, by .env",),
                         probes=("GET /up on port 80",), every_release=("IMAGE_TAG",)),
        ExplainedService("db", "postgres:16", ready="ready when its healthcheck passes"),
        ExplainedService("db-2", "postgres:16", ready="ready when its healthcheck passes"),
    ),
    switched_off=(Remark("tools", "tool"),),
    variables=(
        ExplainedVariable("A", "env file", ".env"), ExplainedVariable("B", "include", "db/.env"),
        ExplainedVariable("C", "default", "compose.yaml:1"), ExplainedVariable("IMAGE_TAG", "slipway"),
        ExplainedVariable("D", "nobody", "compose.yaml:2", remark="nothing is put in its place"),
    ),
    steering=(Remark("COMPOSE_FILE", "followed"),),
    mounts=(ExplainedMount("conf", "ships", "ships with the release: 1 file, 2 bytes", {"api": "/c", "db": "/c"}),),
    contents=(ExplainedContent("secret", "s", "token, by the environment block", ("api",), ("api",)),),
    reach=(Remark("api", "port 80 as 80"), Remark("api", "port 81 as 81")),
    differences=(Remark("images", "run by digest"),),
    promotion=(Remark("db", "x-slipway.data, for rows"), Remark("db-2", "x-slipway.data, for rows")),
)  # fmt: skip
BAD = Explanation(
    "", "", ("compose.yaml",), refusals=(Refusal("BrokenStack", "no [bold]YAML[/bold]"),), hints=("Mend it",)
)
SHOWN = """shop (`name:` in compose.yaml) · compose.yaml

Services: what runs, and what restarts it beside a new image or definition
  api           built here, published as REGISTRY/api:TAG; 2 replicas; profile
                p, by .env
                restarts with variable A; file conf; secrets s, t; a restart of
                db
                restarts at every release: IMAGE_TAG stands in it beside its
                image
                probed: GET /up on port 80
  db, db-2      postgres:16, from elsewhere
  not probed    db, db-2: ready when its healthcheck passes
  switched off  tool (profile tools)

Variables: where each value comes from
  .env                 A
  db/.env (include)    B
  default in the file  C
  Slipway              IMAGE_TAG
  nobody               D at compose.yaml:2: nothing is put in its place

Variables that steer Compose
  COMPOSE_FILE  followed

Env files, secrets and configs: where the content comes from
  s  secret: token, by the environment block; for api; for builds of api

Mounts
  conf  ships with the release: 1 file, 2 bytes
        /c in api, db

Networks and ports
  api  port 80 as 80
       port 81 as 81

Other than plain Compose, on purpose
  images  run by digest

What a promotion to a second colour would need
  db, db-2  x-slipway.data, for rows

✓ A release of this would be accepted. Next: slipway environment set --stack shop, slipway release --stack shop
"""


def shown(explanation: Explanation, *, stack: str | None = None, **given) -> str:
    file = io.StringIO()
    show_explanation(SummaryConsole(file=file, **given), explanation, stack)
    return file.getvalue()


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS", "SLIPWAY_STACK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def test_every_part_says_what_becomes_of_it():
    assert shown(GOOD, stack="shop") == SHOWN


def test_what_is_refused_comes_last_and_its_words_are_no_markup():
    assert shown(BAD).splitlines() == [
        "compose.yaml", "", "✗ BrokenStack: no [bold]YAML[/bold]", "Mend it.",
        "A release of this would be refused, for 1 reason.",
    ]  # fmt: skip


def test_a_terminal_gets_colours_and_a_pipe_does_not():
    assert "\x1b[" in shown(GOOD, force_terminal=True)
    assert "\x1b" not in shown(BAD)


def test_long_lists_are_shortened_unless_wide():
    names = tuple(f"VARIABLE_{number}" for number in range(200))
    many = Explanation(
        "shop", "x", (), services=(ExplainedService("web", "x", variables=names),),
        variables=tuple(ExplainedVariable(name, "default") for name in names),
    )  # fmt: skip
    text = " ".join(shown(many).split())
    assert "and 192 more (--wide)" in text
    assert "and 160 more (--wide)" in text
    assert all(name in shown(many, wide=True) for name in names)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_of_a_list_is_wider_than_the_terminal(width):
    lines = shown(GOOD, width=width).splitlines()
    assert max(cell_len(line) for line in lines if line.startswith("  ")) <= width


def said(*words: str):
    return CliRunner(env={"COLUMNS": "80", "TERM": "dumb"}).invoke(app, ["explain", *words])


@needs_compose
def test_the_command_ends_with_0_and_its_json_holds_all_of_it(tmp_path):
    write_files(tmp_path, {"compose.yaml": "services: {web: {image: 'x:${V:-1}'}}"})
    answer = said("--stack", str(tmp_path), "--json")
    assert answer.exit_code == 0
    found = json.loads(answer.stdout)
    assert found["accepted"] is True
    assert [one["name"] for one in found["variables"]] == ["V"]


@needs_compose
def test_the_command_ends_with_2_when_something_is_refused_and_says_the_rest_all_the_same(tmp_path):
    write_files(tmp_path, {"compose.yaml": "services: {web: {image: 'x:$V'}}"})
    answer = said("--stack", str(tmp_path))
    assert answer.exit_code == 2
    assert "✗ UnsetVariables: the compose files use V" in answer.stdout
    assert "web" in answer.stdout
    assert said("--stack", str(tmp_path), "--json").exit_code == 2


@needs_compose
def test_without_a_stack_it_is_the_one_that_lies_here(tmp_path, monkeypatch):
    monkeypatch.chdir(write_files(tmp_path, {"compose.yaml": "name: here\nservices: {web: {image: x}}"}))
    assert said().stdout.startswith("here (`name:` in compose.yaml)")


def test_a_stack_that_is_not_there_is_one_line_and_2(tmp_path: Path):
    answer = said("--stack", str(tmp_path / "absent"))
    assert answer.exit_code == 2
    assert answer.stderr.startswith("✗ StackNotFound: ")
    assert answer.stdout == ""
