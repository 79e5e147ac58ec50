"""Who is asked before a deploy: only a person at a terminal who wants to be; and what a no, and a late yes, mean."""

from types import SimpleNamespace

import pytest

from flows.core.deploy.facts import Facts
from flows.core.deploy.plan.plan import plan_mark
from flows.core.errors import DeployDeclined, PlanOutdated
from flows.settings import Settings
from flows.tasks.deploy import confirmation
from flows.tasks.deploy.confirmation import confirmed, refuse_outdated, who_is_asked
from flows.tasks.runs.context import Asking, extended_context, run_context
from tests.support.builders import past, pinned, record, release
from tests.support.stories import deploy_plan

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("wanted", "setting", "asked"),
    [(None, False, False), (None, True, True), (True, False, True), (False, True, False)],
)
def test_the_command_line_wins_over_the_setting(wanted, setting, asked):
    asking = Asking(lambda _question: True, wanted)
    with extended_context(asking=asking):
        assert who_is_asked(Settings(confirm=setting)) == (asking if asked else None)


def test_where_nobody_sits_nobody_is_asked_whatever_the_setting_says():
    assert who_is_asked(Settings(confirm=True)) is None


@pytest.fixture
def ask(monkeypatch):
    """Goes through `confirmed` with this answer; returns what was told, asked, and known inside."""
    plan, seen = deploy_plan("web", pinned("web"), "why", "v1"), SimpleNamespace(told=[], asked=[], inside=None)
    monkeypatch.setattr(confirmation, "look_and_plan", lambda *_: plan)
    monkeypatch.setattr(confirmation, "tell_plan", seen.told.append)
    monkeypatch.setattr(confirmation.PreparedDeploy, "of", lambda *_a, **_k: None)

    def go(answer: bool, **context):
        def said(question: str) -> bool:
            seen.asked.append(question)
            return answer

        settings = Settings(confirm=True)
        how = {"role": "all", "strategy": "rolling", "env_file": None, "settings": settings}
        droplet = SimpleNamespace(name="green")
        with extended_context(asking=Asking(said), **context), confirmed(droplet, release(), {}, **how):
            seen.inside = run_context().confirmed
        return seen

    go.plan, go.seen = plan, seen
    return go


def test_a_yes_is_known_to_the_deploy_inside_with_the_plan_it_was_said_to(ask):
    seen = ask(True)
    assert (seen.told, seen.asked) == ([ask.plan], ["Put release v1 on green?"])
    assert seen.inside == {"green": ask.plan.mark}
    assert run_context().confirmed == {}


def test_a_no_ends_it_with_3_and_what_to_run_for_a_yes(ask):
    with pytest.raises(DeployDeclined, match="slipway deploy --tag v1 --droplet green") as ended:
        ask(False)
    assert ended.value.exit_code == 3
    assert ask.seen.inside is None


def test_who_was_asked_already_is_not_asked_again(ask):
    seen = ask(False, confirmed={"green": "1 v0"})
    assert (seen.told, seen.asked, seen.inside) == ([], [], {"green": "1 v0"})


def test_a_plan_that_is_not_true_any_more_changes_nothing():
    before, after = (
        Facts(history=past(*records)) for records in ([record(1, "v1")], [record(1, "v1"), record(2, "v2")])
    )
    mark = plan_mark(before.history)
    refuse_outdated(mark, before, "green")
    refuse_outdated("", after, "green")
    with pytest.raises(PlanOutdated, match="slipway history"):
        refuse_outdated(mark, after, "green")
