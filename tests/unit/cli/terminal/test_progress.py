"""What a person sees: plain text when piped, colours on a terminal, and errors on one line."""

import io
import logging
import re

import pytest
from builders import digest, pinned, release
from rich.console import Console

from flows.cli.terminal import progress as terminal
from flows.cli.terminal import tables as summaries
from flows.cli.terminal.runner import wide_console
from flows.core.errors import ServicesNotReady
from flows.core.gates.probes import Outcome, Phase
from flows.core.results import Deployed, DropletStatus, Published, Released, ServiceState, Validated

pytestmark = pytest.mark.unit

COLOUR = re.compile(r"\x1b\[[0-9;]*3\dm")
LONG = f"registry.example.com/team/a-service-with-a-rather-long-name@{digest('a')}"
STATES = {"web": ServiceState(LONG, "running", "healthy"), "db": ServiceState(pinned("db"), "running", "unhealthy")}
OUTCOMES = (
    Outcome("web", Phase.HEALTH, True, "200 ok"),
    Outcome("db", Phase.WORKFLOW, False, "POST /run: 500: [red]not markup[/red]"),
)
PUBLISHED = Published(release(services={"web": LONG}), "v0", 1.25)
DEPLOYED = Deployed("green", release(), STATES, (LONG,), 21_000_000, 2.5)
VALIDATED = Validated("green", "v1", OUTCOMES, 0.5)
SHOWN = {
    "published": (summaries.show_published, PUBLISHED),
    "deployed": (summaries.show_deployed, DEPLOYED),
    "validated": (summaries.show_validated, VALIDATED),
    "released": (summaries.show_released, Released(PUBLISHED, DEPLOYED, VALIDATED, "http://ui/run", "http://edge")),
    "status": (summaries.show_status, {"green": DropletStatus(True, "v1", STATES)}),
}


def printed(show, what, *, width: int = 200, is_terminal: bool = False) -> str:
    file = io.StringIO()
    show(Console(file=file, width=width, force_terminal=is_terminal, highlight=False), what)
    return file.getvalue()


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.mark.parametrize(("show", "what"), SHOWN.values(), ids=SHOWN)
def test_a_pipe_gets_plain_text(show, what):
    said = printed(show, what)
    assert said
    assert "\x1b" not in said


@pytest.mark.parametrize("name", ["deployed", "validated", "released", "status"])
def test_a_terminal_gets_colours(name):
    assert COLOUR.search(printed(*SHOWN[name], is_terminal=True))


@pytest.mark.parametrize("name", ["deployed", "validated", "released", "status"])
def test_no_color_is_respected(name, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert not COLOUR.search(printed(*SHOWN[name], is_terminal=True))


@pytest.mark.parametrize("width", [200, 80])
@pytest.mark.parametrize("name", ["published", "deployed", "released", "status"])
def test_a_digest_is_shown_whole_however_narrow_the_terminal(name, width):
    said = printed(*SHOWN[name], width=width)
    assert LONG in re.sub(r"\s+", "", said)


def test_a_summary_holds_what_a_person_looks_for():
    said = printed(*SHOWN["released"])
    for words in (
        "✓ health",
        "✗ workflow",
        "running, unhealthy",
        "Release v1 of shop runs on green, by digest, validated.",
        "1 images were pulled, 21.0 MB.",
        "The run in the Prefect UI: http://ui/run",
        "The edge: http://edge",
    ):
        assert words in said
    assert re.search(r"build-push\s+1\.2\s+deploy\s+2\.5\s+validate\s+0\.5", said)


def test_words_of_others_are_no_markup():
    assert "[red]not markup[/red]" in printed(*SHOWN["validated"])
    error = ServicesNotReady("on green: [bold]x[/bold] [/]")
    assert printed(terminal.show_error, error).strip() == "✗ ServicesNotReady: on green: [bold]x[/bold] [/]"


def test_an_unknown_droplet_is_said_and_what_to_do():
    assert "slipway droplet add NAME" in printed(summaries.show_status, {})
    said = printed(summaries.show_status, {"green": DropletStatus(None, None, trouble="cannot be reached [x]")})
    assert said.splitlines() == ["green · release none", "  cannot be reached [x]"]


def record(message: str, level: int = logging.INFO, **more) -> logging.LogRecord:
    made = logging.LogRecord("prefect.task_runs", level, "a.py", 1, message, (), None)
    made.__dict__.update(more)
    return made


def progress(*records: logging.LogRecord, verbose: bool = False) -> list[str]:
    file = io.StringIO()
    shown = terminal.Progress(Console(file=file, width=200, highlight=False), verbose)
    with shown.shown():
        for each in records:
            shown.handle(each)
    return [line.strip() for line in file.getvalue().splitlines()]


def test_progress_is_a_list_of_steps_with_their_times():
    [flow, step] = progress(
        record("Beginning flow run 'x' for flow 'deploy'", flow_name="deploy", flow_run_name="deploy v1 to green"),
        record("Finished in state Completed()", task_run_name="put [files]"),
    )
    assert flow == "▶ deploy v1 to green"
    assert re.fullmatch(r"✓ put \[files\]\s+0\.0 s", step)


@pytest.mark.parametrize(
    ("shown", "quiet", "verbose"),
    [
        (record("pulled layer", slipway_raw=True), [], ["pulled layer"]),
        (record("9 images are there"), [], ["9 images are there"]),
        (record("✓ web: 200 ok"), ["✓ web: 200 ok"], ["✓ web: 200 ok"]),
        (record("odd [thing]", logging.WARNING), ["odd [thing]"], ["odd [thing]"]),
        (record("Created task run"), [], []),
        (record("Finished in state Failed('x')", logging.ERROR), [], []),
        (record("Task run failed", logging.ERROR, exc_info=(ValueError, ValueError(), None)), [], []),
    ],
)
def test_of_a_runs_log_only_what_is_news_is_shown(shown, quiet, verbose):
    assert progress(shown) == quiet
    assert progress(shown, verbose=True) == verbose


def test_progress_leaves_the_loggers_as_they_were():
    before = list(logging.getLogger("prefect.flow_runs").handlers)
    progress()
    assert logging.getLogger("prefect.flow_runs").handlers == before


def test_a_pipe_is_wide_enough_for_digests(capsys):
    wide_console().print("x" * 180)
    assert capsys.readouterr().out == "x" * 180 + "\n"
    wide_console(quiet=True).print("nothing")
    assert capsys.readouterr().out == ""
