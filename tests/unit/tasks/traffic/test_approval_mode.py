"""When a person is asked: what a terminal says goes; a run from the API may only be stricter than the setting."""

from itertools import product
from types import SimpleNamespace
from typing import get_args
from uuid import uuid4

import pytest

from flows.settings import Approval, Settings
from flows.tasks.traffic import approval
from flows.tasks.traffic.approval import approval_mode

pytestmark = pytest.mark.unit

MODES = get_args(Approval)


@pytest.fixture
def run(monkeypatch) -> SimpleNamespace:
    """The run that the code is part of."""
    run = SimpleNamespace(flow_run=SimpleNamespace(deployment_id=None, parent_task_run_id=uuid4()))
    monkeypatch.setattr(approval.FlowRunContext, "get", lambda: run)
    return run


@pytest.mark.parametrize(("wanted", "setting"), [*product(MODES, MODES)])
def test_a_terminal_says_when_a_person_is_asked(run, wanted, setting):
    assert approval_mode(wanted, Settings(approval=setting)) == wanted


@pytest.mark.parametrize(("wanted", "setting"), [*product(MODES, MODES)])
def test_a_run_from_the_api_is_never_laxer_than_the_setting(run, wanted, setting):
    run.flow_run.deployment_id = uuid4()
    assert approval_mode(wanted, Settings(approval=setting)) == MODES[max(MODES.index(wanted), MODES.index(setting))]


@pytest.mark.parametrize("setting", MODES)
def test_what_nobody_said_the_setting_says(run, setting):
    for run.flow_run.deployment_id in (None, uuid4()):
        assert approval_mode(None, Settings(approval=setting)) == setting
