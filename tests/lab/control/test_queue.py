"""Twenty runs of one deployment within a minute: exactly the newest runs in the end, and each other says why."""

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.flow_engine import run_flow
from prefect.states import Pending

from blocks.polling import until
from flows.settings import Settings
from flows.tasks.control.superseding import end_superseded, give_way
from flows.tasks.runs.declaration import flow

pytestmark = pytest.mark.lab
TRIGGERED = 20
_done: list[str] = []
_meanwhile: list[Callable[[], object]] = []


@flow(name="test-queue", on_completion=[end_superseded])
def queue(stack: str, mark: str) -> str:
    """Stands in for a release: its first step is the same."""
    give_way(stack, Settings())
    _done.append(mark)
    for happens in _meanwhile:
        happens()
    return mark


@pytest.fixture
def deployment(client: SyncPrefectClient, unique: str) -> Iterator[UUID]:
    """A deployment of the test's own, which no worker serves."""
    made = client.create_deployment(client.create_flow(queue), unique, enforce_parameter_schema=False)
    yield made
    client.delete_deployment(made)


def trigger(client: SyncPrefectClient, deployment: UUID, stack: str, mark: str) -> FlowRun:
    return client.create_flow_run_from_deployment(deployment, parameters={"stack": stack, "mark": mark})


def start(client: SyncPrefectClient, run: FlowRun) -> FlowRun:
    """Run it here, as a worker's process would."""
    client.set_flow_run_state(run.id, Pending())
    run_flow(queue, flow_run=client.read_flow_run(run.id), parameters=run.parameters, return_type="state")
    return client.read_flow_run(run.id)


def superseded_events(client: SyncPrefectClient, stack: str) -> list[dict]:
    about = {"resource": {"id": [f"slipway.stack.{stack}"]}, "event": {"name": ["slipway.superseded"]}}
    answer = client.request("POST", "/events/filter", json={"filter": about, "limit": 50})
    return answer.json()["events"]


def test_twenty_releases_end_as_one(client: SyncPrefectClient, deployment: UUID, unique: str):
    _done.clear()
    runs = [trigger(client, deployment, unique, f"{number}") for number in range(TRIGGERED)]
    other = trigger(client, deployment, f"{unique}-other", "other")

    # Prefect gives the slot to whichever asks first: here to one in the middle, then to the newest, then to the oldest.
    middle = start(client, runs[7])
    assert (middle.state.type.value, middle.state.name) == ("CANCELLED", "Superseded")
    assert middle.state.message.startswith(f"superseded by {runs[-1].name} ({runs[-1].id})")
    assert {client.read_flow_run(run.id).state.name for run in runs[:7]} == {"Superseded"}
    assert start(client, runs[-1]).state.is_completed()

    ends = [client.read_flow_run(run.id).state for run in runs[:-1]]
    assert {(state.type.value, state.name) for state in ends} == {("CANCELLED", "Superseded")}
    assert all(str(runs[-1].id) in state.message for state in ends)
    assert client.read_flow_run(other.id).state.is_scheduled()
    assert _done == ["19"]

    told = until(
        lambda: superseded_events(client, unique),
        lambda found: len(found) >= TRIGGERED - 1,
        30,
        pause=0.5,
        unfinished=lambda *_: AssertionError("not every run that gave way is an event"),
    )
    assert sorted(event["payload"]["previous"] for event in told) == sorted(str(run.id) for run in runs[:-1])
    assert {event["payload"]["run"] for event in told} == {str(runs[-1].id)}


def test_the_one_that_runs_already_finishes_and_leaves_only_the_newest_to_begin(
    client: SyncPrefectClient, deployment: UUID, unique: str
):
    _done.clear()
    first, waiting = trigger(client, deployment, unique, "first"), []
    _meanwhile.append(lambda: waiting.extend(trigger(client, deployment, unique, f"{n}") for n in range(5)))
    assert start(client, first).state.is_completed()
    _meanwhile.clear()
    ends = [client.read_flow_run(run.id).state.name for run in waiting]
    assert ends[:4] == ["Superseded"] * 4
    assert client.read_flow_run(waiting[4].id).state.is_scheduled()
    assert start(client, waiting[4]).state.is_completed()
    assert _done == ["first", "4"]


def test_an_older_commit_that_is_asked_for_later_wins_and_one_that_is_run_again_gives_way_to_nobody(
    client: SyncPrefectClient, deployment: UUID, unique: str
):
    _done.clear()
    new, old = trigger(client, deployment, unique, "new"), trigger(client, deployment, unique, "old")
    assert start(client, new).state.name == "Superseded"
    assert start(client, old).state.is_completed()
    assert start(client, new).state.is_completed()  # as the UI's Retry does: the same run once more
    assert _done == ["old", "new"]
