"""Triggers and automations at a real server: taken as they are, made once, and what they start."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from uuid import UUID

import pytest
import yaml
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterTags
from prefect.events.schemas.deployment_triggers import DeploymentEventTrigger

from blocks.polling import until
from flows.core.control.automations import crash_detection, notifications, recovery
from flows.core.control.events import PUBLISHED
from flows.promote import promote
from flows.reconcile import reconcile
from flows.tasks.control.automations import ensure_each
from flows.tasks.runs.events import emit
from tests import CHECKOUT

pytestmark = pytest.mark.lab
DYING = """
import sys
from threading import Event
from prefect import flow, tags

@flow(name="release")
def dying(stack):
    print("begun", flush=True)
    Event().wait()

with tags(sys.argv[1]):
    dying(sys.argv[1])
"""


@pytest.fixture
def deployments(client: SyncPrefectClient, unique: str) -> Iterator[dict[str, UUID]]:
    """Deployments of the test's own, of real flows, which no worker serves."""
    flows = {"promote": promote, "reconcile": reconcile}
    found = {name: client.create_deployment(client.create_flow(flow), unique) for name, flow in flows.items()}
    yield found
    for one in found.values():
        client.delete_deployment(one)


def test_a_published_release_starts_the_trigger_of_prefect_yaml_once_it_is_turned_on(
    client: SyncPrefectClient, deployments: dict[str, UUID], unique: str, made: list[str], runs_of
):
    whole = yaml.safe_load((CHECKOUT / "prefect.yaml").read_text())["deployments"]
    given = next(one for one in whole if one["name"] == "promote")["triggers"][0]
    made.append(unique)
    trigger = DeploymentEventTrigger.model_validate({**given, "name": unique, "match": {"slipway.stack": unique}})
    trigger.set_deployment_id(deployments["promote"])
    automation = client.create_automation(trigger.as_automation())

    emit(PUBLISHED, stack=unique, tag="v1", digest="sha256:1")  # it is off
    of_stack = {"event": {"name": [PUBLISHED.name]}, "resource": {"id": [f"slipway.stack.{unique}"]}}
    wait_for_event(client, of_stack)
    client.resume_automation(automation)
    emit(PUBLISHED, stack=unique, tag="v2", digest="sha256:2")
    emit(PUBLISHED, stack=unique, tag="v3")
    found = {run.parameters["tag"]: run.parameters for run in runs_of(deployments["promote"], 2)}
    assert found == {
        "v2": {"stack": unique, "destination": "", "tag": "v2", "digest": "sha256:2"},
        "v3": {"stack": unique, "destination": "", "tag": "v3", "digest": None},
    }


def test_automations_are_made_once_updated_where_they_differ_and_stay_off_where_somebody_turned_them_off(
    client: SyncPrefectClient, deployments: dict[str, UUID], unique: str, made: list[str]
):
    block = str(UUID(int=1))
    given = [crash_detection(30), recovery(str(deployments["reconcile"]), ["green"]), *notifications(block)]
    wanted = [{**one, "name": f"{unique} {one['name']}", "enabled": False} for one in given]
    made += [one["name"] for one in wanted]
    assert set(ensure_each(client, wanted).values()) == {"created"}
    assert set(ensure_each(client, wanted).values()) == {"as it was"}
    assert {one.enabled for name in made for one in client.read_automations_by_name(name)} == {False}

    slower = [{**wanted[0], "trigger": {**wanted[0]["trigger"], "within": 540}}, *wanted[1:]]
    assert list(ensure_each(client, slower).values()) == ["updated"] + ["as it was"] * (len(wanted) - 1)
    (there,) = client.read_automations_by_name(wanted[0]["name"])
    assert there.trigger.within.total_seconds() == 540


def test_a_run_whose_process_died_is_marked_crashed_and_reconciled(
    client: SyncPrefectClient, deployments: dict[str, UUID], unique: str, made: list[str], runs_of
):
    """As setup makes them, but for runs with a tag of the test's own, and without waiting for three heartbeats."""
    tag = {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{unique}"}
    dead, mended = crash_detection(30), recovery(str(deployments["reconcile"]), ["green", "blue"])
    mended["trigger"]["match_related"][0] = tag
    dead["trigger"].update(match_related=tag, within=10)
    wanted = [{**one, "name": f"{unique} {one['name']}"} for one in (dead, mended)]
    made += [one["name"] for one in wanted]
    ensure_each(client, wanted)

    environment = {**os.environ, "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30"}
    with subprocess.Popen(
        [sys.executable, "-c", DYING, unique], env=environment, text=True, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "begun\n"
        alive = {"event": {"name": ["prefect.flow-run.heartbeat"]}, "related": {"id": [f"prefect.tag.{unique}"]}}
        wait_for_event(client, alive)
        process.send_signal(signal.SIGKILL)
    begun = runs_of(deployments["reconcile"], 2)
    assert sorted((run.parameters["stack"], run.parameters["droplet"]) for run in begun) == [
        (unique, "blue"), (unique, "green"),
    ]  # fmt: skip
    (mine,) = client.read_flow_runs(flow_run_filter=FlowRunFilter(tags=FlowRunFilterTags(all_=[unique])))
    assert (mine.state.name, mine.state.message[:12]) == ("Crashed", "No heartbeat")


def wait_for_event(client: SyncPrefectClient, which: dict) -> None:
    """Wait until the server knows an event."""
    until(
        lambda: client.request("POST", "/events/filter", json={"filter": which, "limit": 1}).json()["events"],
        bool,
        30,
        pause=0.5,
        unfinished=lambda *_: AssertionError(f"no event: {which}"),
    )
