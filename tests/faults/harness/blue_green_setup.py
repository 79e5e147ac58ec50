"""Makes a pair: two colours, a data home, an edge and providers, with blocks of their own for all of them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
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
_QUICK = {
    "SLIPWAY_PROMETHEUS": "", "SLIPWAY_GATE_WINDOW": "0", "SLIPWAY_WATCH": "0", "SLIPWAY_SWITCH_TIMEOUT": "5",
    "SLIPWAY_WATCH_INTERVAL": "0.5", "SLIPWAY_APPROVAL": "never", "SLIPWAY_HEALTH_PATIENCE": "1",
    "SLIPWAY_TRACE_TIMEOUT": "2", "SLIPWAY_PROVIDER_TIMEOUT": "1",
}  # fmt: skip


@contextmanager
def open_blue_green_scenario(number: int, registry: RegistryNamespace, tmp: Path) -> Iterator[BlueGreenScenario]:
    """A pair whose home is deployed and whose releases are published; afterwards nothing of it is left anywhere."""
    from blocks import CaddySwitch, Droplet, Langfuse, Prometheus, StackEnvironment  # noqa: PLC0415

    stack, port = f"pair-{number}", _PORT + number
    home = DropletView("data", f"{stack}-home", f"/opt/{stack}")
    second = DropletView("data", stack, f"/opt/{stack}-second")
    droplets = {colour: DropletView(colour, stack, f"/opt/{stack}") for colour in COLOURS}
    environment = settings(
        tmp / "reports", SLIPWAY_REGISTRY=f"{stack}-registry", SLIPWAY_READINESS_DELAY="0.3",
        SLIPWAY_GREEN=f'["{stack}-green"]', SLIPWAY_BLUE=f'["{stack}-blue"]', SLIPWAY_HOME=f"{stack}-data",
        SLIPWAY_SWITCH=f"{stack}-edge", SLIPWAY_STACK=stack, SLIPWAY_DROPLET=f"{stack}-green", **_QUICK,
    )  # fmt: skip
    with ExitStack() as closing:
        for droplet in (home, second, *droplets.values()):  # the images of the data home go when both are gone
            images = "nothing" if droplet is second else f"{registry.namespace}.{stack}"
            tidies = (partial(droplet.remove, images), partial(_forget_directory, droplet))
            for tidy in tidies:
                tidy()  # what a killed run left
                closing.callback(tidy)
        forget(StackEnvironment, stack)
        closing.callback(forget, StackEnvironment, stack)
        edge = closing.enter_context(open_disposable_edge(stack, port))
        provider = FakeProviders()
        closing.callback(provider.close)
        blocks = {
            colour: Droplet.load(colour).model_copy(update={"directory": f"/opt/{stack}"})
            for colour in (*COLOURS, "data")
        }
        blocks["away"] = blocks["data"].model_copy(update={"port": closed_port()})
        blocks["second"] = blocks["data"].model_copy(update={"directory": second.directory})
        blocks["edge-host"] = edge.host(Droplet.load("green"))
        blocks["prometheus"] = Prometheus(url=provider.url)
        blocks["langfuse"] = Langfuse(url=provider.url, public_key="pk-lf-test", secret_key=f"sk-lf-{uuid4().hex}")
        blocks["prometheus-down"] = Prometheus(url=f"http://127.0.0.1:{closed_port()}")
        blocks["langfuse-down"] = blocks["langfuse"].model_copy(update={"url": blocks["prometheus-down"].url})
        blocks["registry"] = registry.named()
        closing.enter_context(saved(**{f"{stack}-{name}": block for name, block in blocks.items()}))
        switch = CaddySwitch(url=edge.url, host=Droplet.load(f"{stack}-edge-host"))
        closing.enter_context(saved(**{f"{stack}-edge": switch}))
        environment = {**environment, "SLIPWAY_ACTIVE_URL": f"{edge.url}/.slipway/active"}
        changes = (
            ('expose: ["8000"]\n    healthcheck: *health\n    x-slipway:\n', _published(port)),
            (", traced: false", ""),
        )
        trio = ThreeServiceStack(
            stack, f"{stack}-green", droplets["green"], registry.host, tmp, environment, changes=changes
        )
        StackEnvironment(variables={"TOKEN": trio.token}, files={}).save(stack, overwrite=True)
        sides = {c: replace(trio, block=f"{stack}-{c}", droplet=droplets[c]) for c in COLOURS}
        beside = replace(trio, block=f"{stack}-second", droplet=second)
        pair = BlueGreenScenario(stack, sides, home, beside, edge, provider, tmp, environment)
        closing.callback(pair.clear, False)
        for tag, habit in ((FIRST, "well"), (SECOND, "well"), (LYING, LIES)):
            trio.publish(tag, habit)
        pair.done(pair.words("deploy-home", "--tag", FIRST, "--approval", "never"))
        yield pair


def _published(port: int) -> str:
    return f'expose: ["8000"]\n    ports: ["{port}:8000"]\n    healthcheck: *health\n    x-slipway:\n'


def _forget_directory(droplet: DropletView) -> None:
    droplet.sh(f"rm -rf {droplet.directory}")
