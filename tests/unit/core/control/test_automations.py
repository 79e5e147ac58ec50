"""Automations: Prefect's own models take them, and each waits for what it is meant to."""

from uuid import UUID

import pytest
from prefect.events.schemas.automations import AutomationCore
from prefect.server.events.schemas import automations as server

from flows.core.control.automations import TAG, crash_detection, notifications, recovery
from flows.core.control.events import EVENT_KINDS

pytestmark = pytest.mark.unit
ID, OTHER = str(UUID(int=1)), str(UUID(int=2))
ALL = [crash_detection(30), recovery(ID, ["green", "blue"], OTHER), *notifications(ID)]


@pytest.mark.parametrize("definition", ALL, ids=[one["name"] for one in ALL])
def test_client_and_server_take_it(definition: dict):
    assert AutomationCore.model_validate(definition).tags == [TAG]
    assert server.AutomationCore.model_validate(definition).name == definition["name"]


def test_three_heartbeats_have_to_be_missed():
    trigger = crash_detection(30)["trigger"]
    assert (trigger["within"], trigger["posture"]) == (90, "Proactive")
    assert set(trigger["after"]) < set(trigger["expect"])
    assert "prefect.flow-run.Superseded" in trigger["expect"]
    assert "prefect.flow-run.Cancelling" not in trigger["expect"]


def test_every_droplet_is_reconciled_and_the_traffic_looked_after_where_there_is_a_switch():
    actions = recovery(ID, ["green", "blue"], OTHER)["actions"]
    assert [(one["deployment_id"], one["parameters"].get("droplet")) for one in actions] == [
        (ID, "green"), (ID, "blue"), (OTHER, None),
    ]  # fmt: skip
    assert len(recovery(ID, ["green"])["actions"]) == 1


def test_a_reconcile_that_crashed_starts_no_other():
    flows = recovery(ID, ["green"])["trigger"]["match_related"][1]["prefect.resource.name"]
    assert "reconcile" not in flows
    assert "release" in flows


def test_a_message_waits_for_events_that_there_are():
    known = {kind.name for kind in EVENT_KINDS} | {
        f"prefect.flow-run.{name}" for name in ("Failed", "Crashed", "TimedOut")
    }
    assert {name for one in notifications(ID) for name in one["trigger"]["expect"]} <= known
