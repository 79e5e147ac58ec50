"""One worker serves two stacks, each to two destinations, at once: each run has the settings of its commit."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.faults.harness.sample import WORKER_TYPES
from tests.faults.harness.worker_run import WorkerRun, copied_deployment, posted, worker_of_an_open_pool
from tests.support.lab.cli import slipway
from tests.support.lab.droplet_view import DropletView
from tests.support.lab.git_checkout import commit, git
from tests.support.lab.lab import STATE, prefect_api
from tests.support.lab.lab_stack import lab_registry
from tests.support.lab.registry_namespace import remove_build_images
from tests.support.lab.saved_blocks import saved

pytestmark = pytest.mark.lab

# Stack and destination → the lab's droplet.
PLACES = {
    ("places-shop", "staging"): "green",
    ("places-shop", "production"): "blue",
    ("places-blog", "staging"): "blue",
    ("places-blog", "production"): "green",
}
COMPOSE = """
name: {stack}
services:
  web: &own
    build: .
    image: ${{REGISTRY}}/{stack}:${{IMAGE_TAG}}
    init: true
    command: [sleep, infinity]
    environment: {{GREETING: "${{GREETING}}"}}
  worker:
    <<: *own
    profiles: [worker]
"""
SETTINGS = """
version = 1

[timeouts]
readiness_delay = 1

[destinations.staging]
droplet = "{stack}-staging"
registry = "{stack}-staging"
environment = "{stack}-staging"

[destinations.production]
droplet = "{stack}-production"
registry = "{stack}-production"
environment = "{stack}-production"
profiles = ["worker"]
"""


@dataclass(frozen=True)
class Place:
    """One stack at one destination."""

    stack: str
    destination: str
    source: Path

    @property
    def name(self) -> str:
        return f"{self.stack}-{self.destination}"

    @property
    def view(self) -> DropletView:
        return DropletView(PLACES[self.stack, self.destination], self.stack, f"/opt/{self.name}")

    def blocks(self) -> list[Any]:
        """Its droplet, its registry and its environment; all are saved under its name."""
        from blocks import Droplet, StackEnvironment  # noqa: PLC0415 — after the environment is set

        return [
            Droplet.load(self.view.droplet).model_copy(update={"directory": self.view.directory}),
            lab_registry(f"test-{self.name}").named(),
            StackEnvironment(variables={"GREETING": f"hello {self.name}"}),
        ]

    def tidy(self) -> None:
        remove_build_images(f"/test-{self.name}/")
        lab_registry(f"test-{self.name}").empty()
        self.view.remove(f"test-{self.name}")


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Place]]:
    """Two repositories; the worker's own settings say nothing of them."""
    own = tmp_path / "worker.toml"
    own.write_text(f'[worker]\ndocker = "{STATE}/bin/docker"\nreports = "{tmp_path}/reports"\n[gates]\nlangfuse = ""\n')
    monkeypatch.setenv("SLIPWAY_SETTINGS", str(own))
    (tmp_path / "worker").mkdir()
    monkeypatch.chdir(tmp_path / "worker")
    found = []
    for stack in ("places-shop", "places-blog"):
        source = tmp_path / stack
        (source / "deploy").mkdir(parents=True)
        git(source, "init", "--quiet")
        (source / "slipway.toml").write_text(SETTINGS.format(stack=stack))
        (source / "deploy/compose.yaml").write_text(COMPOSE.format(stack=stack))
        (source / "deploy/Dockerfile").write_text("FROM debian:trixie-slim\n")
        commit(source)
        found += [Place(stack, destination, source) for destination in ("staging", "production")]
    with ExitStack() as closing:
        for place in found:
            place.tidy()
            closing.callback(place.tidy)
            for block in place.blocks():
                closing.enter_context(saved(**{place.name: block}))
        yield found


def test_each_of_four_runs_at_once_ends_on_its_own_droplet_with_its_own_settings(
    places: list[Place], tmp_path: Path
) -> None:
    for place in places:  # what lies there is not what is released
        (place.source / "slipway.toml").write_text('[worker]\ndocker = "/never/run"\n')
    with (
        worker_of_an_open_pool(tmp_path / "log", WORKER_TYPES[0]) as pool,
        copied_deployment("release", pool) as deployment,
        prefect_api() as api,
    ):
        runs = []
        for place in places:
            given = {"stack": str(place.source / "deploy"), "ref": "HEAD", "destination": place.destination}
            asked = posted(api, f"deployments/{deployment.id}/create_flow_run", {"parameters": given})
            runs.append(WorkerRun(api, asked["id"], tmp_path))
        ended = [run.final() for run in runs]
        assert ended == ["COMPLETED"] * len(runs), "\n\n".join(run.logs() for run in runs)
        told = [api.get(f"/flow_runs/{run.id}").raise_for_status().json() for run in runs]
    moments = [(datetime.fromisoformat(one["start_time"]), datetime.fromisoformat(one["end_time"])) for one in told]
    assert max(start for start, _ in moments) < min(end for _, end in moments)  # all four were at work at once
    for place, run in zip(places, told, strict=True):
        services = place.view.containers()
        expected = {"web", "worker"} if place.destination == "production" else {"web"}
        assert set(services) == expected, place.name
        assert place.view.inside("web", "printenv", "GREETING") == f"hello {place.name}\n"
        assert f"/test-{place.name}/" in services["web"]["Config"]["Image"]
        assert run["parameters"]["destination"] == place.destination
        assert run["name"].endswith(f"({place.destination})")


def test_a_destination_that_is_not_there_is_refused_before_anything_is_built(places: list[Place]) -> None:
    said = slipway("release", "--stack", str(places[0].source / "deploy"), "--destination", "prodution")
    assert (said.code, said.errors[0].partition(":")[0]) == (2, "UnknownDestination")
    assert "Did you mean `production`?" in said.err
    said = slipway("release", "--stack", str(places[0].source / "deploy"))
    assert (said.code, said.errors[0].partition(":")[0]) == (2, "DestinationNeeded")
