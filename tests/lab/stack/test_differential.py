"""Plain Compose is the judge: a release runs the same containers, on the same files, as `docker compose up -d` does.

And of what the stack's environment block holds, nothing was published.
"""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.stacks import cases, every_field, generated, ours
from tests.support.judge.extent import EVERYTHING
from tests.support.judge.opening import playing
from tests.support.judge.report import ROUND
from tests.support.judge.stack import JudgedStack

pytestmark = pytest.mark.lab

ALWAYS: tuple[JudgedStack, ...] = (every_field.STACK,)


def chosen(config: pytest.Config) -> tuple[JudgedStack, ...]:
    """The stacks of this run: a choice, unless all are wanted or one is asked for by its name."""
    by_name = any("::" in word and Path(__file__).name in word for word in config.args)
    return (*ALWAYS, *ours.STACKS, *cases.STACKS, *generated.played()) if EVERYTHING or by_name else ALWAYS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each stack."""
    if "stack" in metafunc.fixturenames:
        stacks = chosen(metafunc.config)
        metafunc.parametrize("stack", stacks, ids=[stack.called for stack in stacks])


def test_a_release_runs_what_plain_compose_runs(
    stack: JudgedStack, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    if not stack.is_here:
        pytest.skip(f"{stack.source} is not here")
    with playing(stack, tmp_path) as play:
        try:
            first = play.first()
            second = play.second() if stack.change and play.released else None
        finally:
            for one in play.rounds:
                record_property(ROUND, asdict(one))
    assert first.differences == []
    assert first.fields or first.refused
    assert first.published or first.refused
    assert second is None or second.differences == []
