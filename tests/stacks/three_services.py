"""Three tiny services, one of them with state, in several versions and behaviours."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from secrets import token_hex

from tests.faults.harness.doubles.disposable_droplet import DisposableDroplet
from tests.faults.harness.slipway_process import run_slipway
from tests.support.lab.git_checkout import checkout, commit
from tests.support.lab.lab_stack import LabStack, lab_stack
from tests.support.lab.registry_namespace import RegistryNamespace
from tests.support.lab.saved_blocks import forget, saved

SOURCE = Path(__file__).parent / "three_services"
# How the web service of a release behaves.
WELL, UNHEALTHY, CRASHES, SLOW, LIES, TELLS = "well", "unhealthy", "crashes", "slow", "lies", "tells"
ONCE = "command: [/srv/part, once]\n    restart: 'no'"


@dataclass(frozen=True)
class ThreeServiceStack(LabStack):
    """The stack on one droplet; its directory is its own, so that several do not meet.

    Args:
        published: tags of the releases there are.
        changes: what is different in its compose file: (this, that instead).
    """

    published: set[str] = field(default_factory=set)
    changes: tuple[tuple[str, str], ...] = ()

    @cached_property
    def token(self) -> str:
        """The stack's secret; must be found nowhere."""
        return f"token-{token_hex(16)}"

    @property
    def images(self) -> str:
        """What stands in the name of its images, and of nobody else's: the namespace is shared."""
        return f"{self.registry.namespace}.{self.name}"

    def source(self, tag: str) -> Path:
        """The checkout of a release, as it was published."""
        return self.place / f"{self.name}-{tag}"

    def publish(self, tag: str, behaviour: str = WELL, *, once: bool = False, ballast: int = 0) -> str:
        """Build and push a release, once a session; returns its tag. The arguments are those of `write`."""
        if tag not in self.published:
            source = self.write(tag, behaviour, once=once, ballast=ballast)
            said = run_slipway(["build-push", "--stack", str(source), "--tag", tag], self.settings)
            assert said.code == 0, said.all
            self.published.add(tag)
        return tag

    def write(self, tag: str, behaviour: str = WELL, *, once: bool = False, ballast: int = 0) -> Path:
        """The checkout of a release.

        Args:
            behaviour: of its web service.
            once: its worker ends well at once, instead of staying.
            ballast: bytes of its image that no compression makes smaller.
        """
        place = checkout(SOURCE, self.source(tag))
        text = (SOURCE / "compose.yaml").read_text().replace("three-services", self.name)
        text = text.replace("command: [/srv/part, worker]", ONCE) if once else text
        # Each check is a process, again and again for as long as the stack stands there; it is one that is never well
        # which has to be found so soon.
        text = text if behaviour in (UNHEALTHY, TELLS) else text.replace(" interval: 2s", " interval: 20s")
        for this, that in self.changes:
            assert this in text, f"no {this!r} in the compose file"
            text = text.replace(this, that)
        for name, content in {"compose.yaml": text, "version": tag, "behaviour": behaviour}.items():
            (place / name).write_text(content)
        with Path("/dev/urandom").open("rb") as noise:
            (place / "ballast").write_bytes(noise.read(ballast))
        commit(place)
        return place

    def words(self, verb: str, *words: str) -> list[str]:
        """`slipway VERB` for this stack on this droplet."""
        return [verb, "--stack", self.name, "--droplet", self.block, *words]

    def deploy(self, tag: str, *words: str) -> list[str]:
        """`slipway deploy` of a release."""
        return self.words("deploy", "--tag", tag, *words)

    def release(self, tag: str, *words: str) -> list[str]:
        """`slipway release` of what was published under this tag."""
        return ["release", "--stack", str(self.source(tag)), "--droplet", self.block, "--tag", tag, *words]

    def write_row(self, row: str) -> None:
        """Add a row to what the store keeps."""
        self.droplet.inside("store", "/srv/part", "ask", "POST", "/rows", row)

    def rows(self) -> list[str]:
        """What the store keeps."""
        return self.droplet.inside("store", "/srv/part", "ask", "GET", "/rows").split()

    def version(self) -> str:
        """Which release's web service answers."""
        return str(json.loads(self.droplet.inside("web", "/srv/part", "ask", "GET", "/hello"))["version"])

    def save_environment(self) -> None:
        from blocks import StackEnvironment  # noqa: PLC0415 — after the environment is set

        StackEnvironment(variables={"TOKEN": self.token}, files={}).save(self.name, overwrite=True)

    def tidy(self) -> None:
        """What others have in the namespace stays."""
        from blocks import StackEnvironment  # noqa: PLC0415 — after the environment is set

        self.droplet.remove(self.images)
        forget(StackEnvironment, self.name)


@contextmanager
def open_three_service_stack(
    place: Path, registry: RegistryNamespace, name: str, droplet: str
) -> Iterator[ThreeServiceStack]:
    """The stack with blocks and a directory of its own, in a registry that others use too."""
    own = {"registry": registry, "SLIPWAY_READINESS_DELAY": "0.3"}
    with lab_stack(ThreeServiceStack, name, droplet, place, **own) as stack:  # type: ignore[arg-type]
        stack.save_environment()
        yield stack


@contextmanager
def moved_to(stack: ThreeServiceStack, disposable: DisposableDroplet) -> Iterator[ThreeServiceStack]:
    """The same stack on a disposable droplet, which goes away with all that is on it."""
    from blocks import Droplet  # noqa: PLC0415 — after the environment is set

    name = f"{stack.name}-{disposable.name}"
    with saved(**{name: disposable.block(Droplet.load(stack.block))}):
        yield replace(stack, block=name, droplet=replace(stack.droplet, droplet=disposable.name))
