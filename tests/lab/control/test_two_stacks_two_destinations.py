"""One process serves two stacks, each to two destinations, at once: each run has the settings of its commit."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

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


def release_of(place: Place) -> tuple[str, Any]:
    """A run as a worker has it: parameters alone. Returns its id and its state."""
    from flows.release import release  # noqa: PLC0415 — after the environment is set

    state = release(stack=str(place.source / "deploy"), ref="HEAD", destination=place.destination, return_state=True)  # type: ignore[call-overload]
    return str(state.state_details.flow_run_id), state


def test_each_of_four_runs_at_once_ends_on_its_own_droplet_with_its_own_settings(places: list[Place]) -> None:
    for place in places:  # what lies there is not what is released
        (place.source / "slipway.toml").write_text('[worker]\ndocker = "/never/run"\n')
    with ThreadPoolExecutor(len(places)) as worker:
        ended = list(worker.map(release_of, places))
    assert [str(state.message) for _, state in ended if not state.is_completed()] == []
    for place, (run, _) in zip(places, ended, strict=True):
        services = place.view.containers()
        expected = {"web", "worker"} if place.destination == "production" else {"web"}
        assert set(services) == expected, place.name
        assert place.view.inside("web", "printenv", "GREETING") == f"hello {place.name}\n"
        assert f"/test-{place.name}/" in services["web"]["Config"]["Image"]
        with prefect_api() as api:
            told = api.get(f"/flow_runs/{run}").raise_for_status().json()
        assert told["parameters"]["destination"] == place.destination
        assert told["name"].endswith(f"({place.destination})")


def test_a_destination_that_is_not_there_is_refused_before_anything_is_built(places: list[Place]) -> None:
    said = slipway("release", "--stack", str(places[0].source / "deploy"), "--destination", "prodution")
    assert (said.code, said.errors[0].partition(":")[0]) == (2, "UnknownDestination")
    assert "Did you mean `production`?" in said.err
    said = slipway("release", "--stack", str(places[0].source / "deploy"))
    assert (said.code, said.errors[0].partition(":")[0]) == (2, "DestinationNeeded")
