"""A client of the lab's Prefect server, and automations that go again."""

from collections.abc import Callable, Iterator

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId, FlowRunFilter
from prefect.client.schemas.objects import FlowRun

from blocks.polling import until


@pytest.fixture
def client() -> Iterator[SyncPrefectClient]:
    """A client of the lab's Prefect server."""
    with get_client(sync_client=True) as found:
        yield found


@pytest.fixture
def made(client: SyncPrefectClient) -> Iterator[list[str]]:
    """Names of automations, which go again at the end."""
    names: list[str] = []
    yield names
    for name in names:
        for one in client.read_automations_by_name(name):
            client.delete_automation(one.id)


@pytest.fixture
def runs_of(client: SyncPrefectClient) -> Callable[..., list[FlowRun]]:
    """Waits for so many runs of a deployment."""

    def wait(deployment, count: int = 1) -> list[FlowRun]:
        mine = DeploymentFilter(id=DeploymentFilterId(any_=[deployment]))
        return until(
            lambda: client.read_flow_runs(deployment_filter=mine, flow_run_filter=FlowRunFilter()),
            lambda found: len(found) >= count,
            60,
            pause=0.5,
            unfinished=lambda found, seconds: AssertionError(f"{len(found)} runs after {seconds:.0f} s"),
        )

    return wait
