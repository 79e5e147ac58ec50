"""The trio: a stack of three tiny services in several versions and habits."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from secrets import token_hex
from typing import Any

from tests.faults.harness.doubles.disposable_droplet import DisposableDroplet
from tests.faults.harness.slipway_process import command
from tests.support.lab.droplet_view import DropletView
from tests.support.lab.git_checkout import checkout, commit
from tests.support.lab.lab_stack import settings
from tests.support.lab.registry_namespace import RegistryNamespace, remove_build_images
from tests.support.lab.saved_blocks import forget, saved

SOURCE = Path(__file__).parent / "three_services"
# How the front of a release behaves.
WELL, SICK, CRASHES, SLOW, LIES, TELLS = "well", "sick", "crashes", "slow", "lies", "tells"
ONCE = "command: [/srv/part, once]\n    restart: 'no'"


@dataclass(frozen=True)
class ThreeServiceStack:
    """One trio on one droplet: its name is its stack's, its directory is its own, so that trios do not meet.

    Args:
        stack: name of the stack.
        block: name of the Droplet block that commands are given.
        droplet: the droplet as seen from inside it.
        registry: where its images come from: host and port.
        place: where its checkout is, and what its commands write.
        environment: the settings of its commands.
        published: tags of the releases there are.
        changes: what is different in its compose file: (this, that instead).
    """

    stack: str
    block: str
    droplet: DropletView
    registry: str
    place: Path
    environment: dict[str, str]
    published: set[str] = field(default_factory=set)
    changes: tuple[tuple[str, str], ...] = ()

    @cached_property
    def token(self) -> str:
        """The stack's secret; must be found nowhere."""
        return f"token-{token_hex(16)}"

    def source(self, tag: str) -> Path:
        """The checkout of a release, as it was published."""
        return self.place / f"{self.stack}-{tag}"

    def publish(self, tag: str, habit: str = WELL, *, once: bool = False, ballast: int = 0) -> str:
        """Build and push a release, once a session; returns its tag. The arguments are those of `write`."""
        if tag not in self.published:
            source = self.write(tag, habit, once=once, ballast=ballast)
            said = command(["build-push", "--stack", str(source), "--tag", tag], self.environment)
            assert said.code == 0, said.all
            self.published.add(tag)
        return tag

    def write(self, tag: str, habit: str = WELL, *, once: bool = False, ballast: int = 0) -> Path:
        """The checkout of a release.

        Args:
            habit: how its front behaves.
            once: its helper ends well at once, instead of staying.
            ballast: bytes of its image that no compression makes smaller.
        """
        place = checkout(SOURCE, self.source(tag))
        text = (SOURCE / "compose.yaml").read_text().replace("trio", self.stack)
        text = text.replace("command: [/srv/part, helper]", ONCE) if once else text
        for this, that in self.changes:
            assert this in text, f"no {this!r} in the trio's compose file"
            text = text.replace(this, that)
        for name, content in {"compose.yaml": text, "version": tag, "habit": habit}.items():
            (place / name).write_text(content)
        with Path("/dev/urandom").open("rb") as noise:
            (place / "ballast").write_bytes(noise.read(ballast))
        commit(place)
        return place

    def words(self, verb: str, *words: str) -> list[str]:
        """`slipway VERB` for this stack on this droplet."""
        return [verb, "--stack", self.stack, "--droplet", self.block, *words]

    def deploy(self, tag: str, *words: str) -> list[str]:
        """`slipway deploy` of a release."""
        return self.words("deploy", "--tag", tag, *words)

    def release(self, tag: str, *words: str) -> list[str]:
        """`slipway release` of what was published under this tag."""
        return ["release", "--stack", str(self.source(tag)), "--droplet", self.block, "--tag", tag, *words]

    def write_row(self, row: str) -> None:
        """Add a row to what the keeper keeps."""
        self.droplet.inside("keeper", "/srv/part", "ask", "POST", "/rows", row)

    def rows(self) -> list[str]:
        """What the keeper keeps."""
        return self.droplet.inside("keeper", "/srv/part", "ask", "GET", "/rows").split()

    def version(self) -> str:
        """Which release's front answers."""
        return str(json.loads(self.droplet.inside("front", "/srv/part", "ask", "GET", "/hello"))["version"])


@contextmanager
def open_three_service_stack(tmp: Path, registry: Any, stack: str, colour: str) -> Iterator[ThreeServiceStack]:
    """A trio with blocks and a directory of its own; afterwards nothing of it is left on the droplet.

    Args:
        registry: the registry block that its releases are published by.
    """
    from blocks import Droplet, StackEnvironment  # noqa: PLC0415 — after the environment is set

    block, droplet = f"{stack}-{colour}", DropletView(colour, stack, f"/opt/{stack}")
    environment = settings(
        tmp / "reports", SLIPWAY_REGISTRY=f"{stack}-registry", SLIPWAY_DROPLET=block, SLIPWAY_READINESS_DELAY="0.3"
    )
    trio = ThreeServiceStack(stack, block, droplet, registry.host, tmp, dict(environment))
    with ExitStack() as closing:
        for tidy in (
            partial(droplet.remove, f"{registry.namespace}.{stack}"),
            partial(droplet.sh, f"rm -rf {droplet.directory}"),
            partial(forget, StackEnvironment, stack),
        ):
            tidy()  # what a killed run left
            closing.callback(tidy)
        own = Droplet.load(colour).model_copy(update={"directory": droplet.directory})
        closing.enter_context(saved(**{block: own, f"{stack}-registry": registry}))
        StackEnvironment(variables={"TOKEN": trio.token}, files={}).save(stack, overwrite=True)
        yield trio


@contextmanager
def on_spare(trio: ThreeServiceStack, spare: DisposableDroplet) -> Iterator[ThreeServiceStack]:
    """The same stack on a spare droplet, which goes away with all that is on it."""
    from blocks import Droplet  # noqa: PLC0415 — after the environment is set

    block = spare.block(Droplet.load(trio.block))
    name = f"{trio.stack}-{spare.name}"
    with saved(**{name: block}):
        yield replace(trio, block=name, droplet=replace(trio.droplet, droplet=spare.name))


@contextmanager
def open_registry() -> Iterator[RegistryNamespace]:
    """A namespace of the lab's registry for the fault suite."""
    from blocks import ContainerRegistry  # noqa: PLC0415 — after the environment is set

    registry = RegistryNamespace(ContainerRegistry.load("registry"), "test-faults")
    with ExitStack() as closing:
        for tidy in (partial(remove_build_images, f"/{registry.namespace}"), registry.empty):
            tidy()
            closing.callback(tidy)
        yield registry
