"""Makes a pair: two colours, a data home, an edge and providers, with blocks of their own for all of them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.faults.harness.blue_green import FIRST, LYING, SECOND, BlueGreenScenario
from tests.faults.harness.doubles.disposable_edge import COLOURS, open_disposable_edge
from tests.faults.harness.doubles.fake_providers import FakeProviders, closed_port
from tests.stacks.three_services import LIES, ThreeServiceStack
from tests.support.lab.droplet_view import DropletView
from tests.support.lab.lab_stack import settings
from tests.support.lab.registry_namespace import RegistryNamespace
from tests.support.lab.saved_blocks import forget, saved

_PORT = 18000
# Nothing that a case does not ask for takes time, or asks anybody.
QUICK = {
    "SLIPWAY_PROMETHEUS": "", "SLIPWAY_GATE_WINDOW": "0", "SLIPWAY_WATCH": "0", "SLIPWAY_SWITCH_TIMEOUT": "5",
    "SLIPWAY_WATCH_INTERVAL": "0.5", "SLIPWAY_APPROVAL": "never", "SLIPWAY_HEALTH_PATIENCE": "1",
    "SLIPWAY_TRACE_TIMEOUT": "2", "SLIPWAY_PROVIDER_TIMEOUT": "1",
}  # fmt: skip


@contextmanager
def open_blue_green_scenario(number: int, registry: RegistryNamespace, tmp: Path) -> Iterator[BlueGreenScenario]:
    """A pair whose home is deployed and whose releases are published; afterwards nothing of it is left anywhere."""
    from blocks import CaddySwitch, Droplet, StackEnvironment  # noqa: PLC0415 — after the environment is set

    name, port = f"pair-{number}", _PORT + number
    home = DropletView("data", f"{name}-home", f"/opt/{name}")
    second = DropletView("data", name, f"/opt/{name}-second")
    droplets = {colour: DropletView(colour, name, f"/opt/{name}") for colour in COLOURS}
    environment = settings(
        tmp / "reports", SLIPWAY_REGISTRY=f"{name}-registry", SLIPWAY_READINESS_DELAY="0.3",
        SLIPWAY_GREEN=f'["{name}-green"]', SLIPWAY_BLUE=f'["{name}-blue"]', SLIPWAY_HOME=f"{name}-data",
        SLIPWAY_SWITCH=f"{name}-edge", SLIPWAY_STACK=name, SLIPWAY_DROPLET=f"{name}-green", **QUICK,
    )  # fmt: skip
    with ExitStack() as closing:
        for droplet in (home, second, *droplets.values()):  # the images of the data home go when both are gone
            images = "nothing" if droplet is second else f"{registry.namespace}.{name}"
            droplet.remove(images)  # what a killed run left
            closing.callback(droplet.remove, images)
        forget(StackEnvironment, name)
        closing.callback(forget, StackEnvironment, name)
        edge = closing.enter_context(open_disposable_edge(name, port))
        blocks = {
            colour: Droplet.load(colour).model_copy(update={"directory": f"/opt/{name}"})
            for colour in (*COLOURS, "data")
        }
        blocks["second"] = blocks["data"].model_copy(update={"directory": second.directory})
        blocks["edge-host"] = edge.host(Droplet.load("green"))
        providers = closing.enter_context(beside(name, registry, blocks, away=blocks["data"]))
        switch = CaddySwitch(url=edge.url, host=Droplet.load(f"{name}-edge-host"))
        closing.enter_context(saved(**{f"{name}-edge": switch}))
        environment = {**environment, "SLIPWAY_ACTIVE_URL": f"{edge.url}/.slipway/active"}
        changes = (
            ('expose: ["8000"]\n    healthcheck: *health\n    x-slipway:\n', _published(port)),
            (", traced: false", ", traced: true"),
        )
        stack = ThreeServiceStack(name, registry, droplets["green"], f"{name}-green", environment, tmp, changes=changes)
        stack.save_environment()
        sides = {c: replace(stack, block=f"{name}-{c}", droplet=droplets[c]) for c in COLOURS}
        another = replace(stack, block=f"{name}-second", droplet=second)
        pair = BlueGreenScenario(name, sides, home, another, edge, providers, tmp, environment)
        closing.callback(pair.clear, False)
        release_first(pair)
        yield pair


@contextmanager
def beside(name: str, registry: RegistryNamespace, blocks: dict[str, Any], away: Any) -> Iterator[FakeProviders]:
    """The providers that a pair is measured by, and what it needs beside its droplets; all blocks are saved.

    Args:
        blocks: of its droplets, without the pair's name.
        away: a droplet that, as a block named `away`, cannot be reached.
    """
    from blocks import Langfuse, Prometheus  # noqa: PLC0415 — after the environment is set

    providers = FakeProviders()
    measured = {
        "prometheus": Prometheus(url=providers.url),
        "langfuse": Langfuse(url=providers.url, public_key="pk-lf-test", secret_key=f"sk-lf-{uuid4().hex}"),
        "prometheus-down": Prometheus(url=f"http://127.0.0.1:{closed_port()}"),
    }
    measured["langfuse-down"] = measured["langfuse"].model_copy(update={"url": measured["prometheus-down"].url})
    others = {"registry": registry.named(), "away": away.model_copy(update={"port": closed_port()})}
    every = {**blocks, **measured, **others}
    try:
        with saved(**{f"{name}-{which}": block for which, block in every.items()}):
            yield providers
    finally:
        providers.close()


def release_first(pair: BlueGreenScenario) -> None:
    """Publish the releases, and put the first one on the data home."""
    for tag, behaviour in ((FIRST, "well"), (SECOND, "well"), (LYING, LIES)):
        pair.sides["green"].publish(tag, behaviour)
    pair.done(pair.words("deploy-home", "--tag", FIRST, "--approval", "never"))


def _published(port: int) -> str:
    return f'expose: ["8000"]\n    ports: ["{port}:8000"]\n    healthcheck: *health\n    x-slipway:\n'
