"""Makes a pair of which both colours, the data home and the edge are on one disposable droplet."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.harness.blue_green import BlueGreenScenario
from tests.faults.harness.blue_green_setup import QUICK, beside, release_first
from tests.faults.harness.doubles.disposable_droplet import open_disposable_droplet
from tests.faults.harness.doubles.disposable_edge import COLOURS
from tests.faults.harness.doubles.droplet_edge import DropletEdge
from tests.faults.harness.invariants import eventually
from tests.stacks.three_services import ThreeServiceStack
from tests.support.lab.droplet_view import DropletView
from tests.support.lab.lab import LAB, STATE
from tests.support.lab.lab_stack import settings
from tests.support.lab.registry_namespace import RegistryNamespace
from tests.support.lab.saved_blocks import forget

_HEAD = 'expose: ["8000"]\n    healthcheck: *health\n    x-slipway:\n'


@contextmanager
def open_one_droplet(number: int, registry: RegistryNamespace, tmp: Path) -> Iterator[BlueGreenScenario]:
    """A pair whose droplet has its edge and its data home; afterwards nothing of it is left anywhere."""
    from blocks import CaddySwitch, Droplet, StackEnvironment  # noqa: PLC0415 — after the environment is set

    name = f"one-{number}"
    machine, directory, host = f"shared-{number}", f"/opt/{name}", f"{name}.example.test"
    prod = f"{name}-prod"
    environment = settings(
        tmp / "reports", SLIPWAY_REGISTRY=f"{name}-registry", SLIPWAY_READINESS_DELAY="0.3",
        SLIPWAY_GREEN=f'["{prod}"]', SLIPWAY_BLUE=f'["{prod}"]', SLIPWAY_HOME=prod, SLIPWAY_SWITCH=f"{name}-edge",
        SLIPWAY_STACK=name, SLIPWAY_DROPLET=prod,
        # A colour sleeps in the cases that are about it.
        **QUICK, SLIPWAY_KEEP_WARM="always", SLIPWAY_DRAIN="1",
    )  # fmt: skip
    parts = {part: DropletView(machine, f"{name}-{part}", directory, beside=True) for part in (*COLOURS, "home")}
    with ExitStack() as closing:
        for kind, saved_as in ((StackEnvironment, name), (CaddySwitch, f"{name}-edge")):
            forget(kind, saved_as)  # what a killed run left
            closing.callback(forget, kind, saved_as)
        sockets = Path(closing.enter_context(TemporaryDirectory(prefix="slipway-")))
        shared = closing.enter_context(open_disposable_droplet(machine, STATE, sockets))
        block = shared.block(Droplet.load("green")).model_copy(update={"directory": directory})
        providers = closing.enter_context(beside(name, registry, {"prod": block}, away=block))
        changes = (
            (_HEAD, f"{_HEAD}      expose: {{host: {host}, port: 8000}}\n"),
            (", traced: false", ", traced: true"),
        )
        stack = ThreeServiceStack(name, registry, parts["green"], f"{prod}/green", environment, tmp, changes=changes)
        stack.save_environment()
        sides = {c: replace(stack, block=f"{prod}/{c}", droplet=parts[c]) for c in COLOURS}
        edge = DropletEdge(shared, directory, name, host)
        nobody = replace(stack, droplet=DropletView(machine, f"{name}-nobody", directory, beside=True))
        pair = BlueGreenScenario(name, sides, parts["home"], nobody, edge, providers, tmp, environment, shared)
        closing.callback(pair.clear, False)
        pair.done(
            ["edge", "setup", prod, "--image", edge_image(registry, tmp), "--tls", "internal", "--yes",
             "--stack", name, "--url", f"https://{host}"]
        )  # fmt: skip
        release_first(pair)
        yield pair


def edge_image(registry: RegistryNamespace, tmp: Path, tag: str = "first") -> str:
    """The lab's Caddy as an image that droplets can pull; another one for each tag."""
    place = tmp / f"edge-{tag}"
    place.mkdir(exist_ok=True)
    return registry.push(f"caddy:{tag}", f"FROM {LAB}-edge\nLABEL tag={tag}\nENTRYPOINT []\n", place)


def stands(pair: BlueGreenScenario) -> None:
    """Both colours, the data home and the edge run on the droplet, each service once, and nothing besides."""
    name, shown = pair.stack, '{{.Label "com.docker.compose.project"}} {{.Label "com.docker.compose.service"}}'
    wanted = [f"{name}-{colour} {service}" for colour in sorted(COLOURS) for service in ("web", "worker")]
    wanted += [f"{name}-home store", "slipway-edge caddy"]
    look = f"docker ps --format '{shown}' | sort; docker ps -aq | wc -l"
    eventually(lambda: pair.edge.inside(look).splitlines(), [*sorted(wanted), str(len(wanted))], 60.0)
