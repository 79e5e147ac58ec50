"""Plain Compose is the judge: a release runs the same containers, on the same files, as `docker compose up -d` does."""

from pathlib import Path

import pytest

from tests.stacks import cases, every_field
from tests.support.judge.extent import EVERYTHING
from tests.support.judge.play import playing
from tests.support.judge.report import keep
from tests.support.judge.stack import JudgedStack

pytestmark = pytest.mark.lab

ALWAYS: tuple[JudgedStack, ...] = (every_field.STACK,)
WHOLE = (*ALWAYS, *cases.STACKS)


def chosen(config: pytest.Config) -> tuple[JudgedStack, ...]:
    """The stacks of this run: a choice, unless all are wanted or one is asked for by its name."""
    return WHOLE if EVERYTHING or any("::" in word for word in config.args) else ALWAYS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each stack."""
    if "stack" in metafunc.fixturenames:
        stacks = chosen(metafunc.config)
        metafunc.parametrize("stack", stacks, ids=[stack.called for stack in stacks])


def test_a_release_runs_what_plain_compose_runs(stack: JudgedStack, tmp_path: Path) -> None:
    if not stack.source.is_dir():
        pytest.skip(f"{stack.source} is not here")
    with playing(stack, tmp_path) as play:
        try:
            first = play.first()
            second = (
                play.second() if stack.change and not first.refused and not _not_released(first.differences) else None
            )
        finally:
            keep(play.rounds)
    assert first.differences == []
    assert first.fields or first.refused
    assert second is None or second.differences == []


def _not_released(differences: list[str]) -> bool:
    return any(text.startswith("not released") for text in differences)
