"""A stack that tests release in the lab: what it needs is made, and nothing of it is left."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.support.lab.cli import CliResult, slipway, slipway_ok
from tests.support.lab.droplet_view import SHARED, DropletView
from tests.support.lab.registry_namespace import RegistryNamespace, remove_build_images
from tests.support.lab.saved_blocks import forget, saved


@dataclass(frozen=True)
class LabStack:
    """A stack on one droplet of the lab.

    Args:
        name: of the stack; names of its blocks begin with it.
        registry: where its images are.
        droplet: where it runs, seen from inside.
        block: name of the Droplet block that commands are given.
        settings: of its commands.
        place: where its checkout is, and what its commands write.
    """

    name: str
    registry: RegistryNamespace
    droplet: DropletView
    block: str
    settings: dict[str, str]
    place: Path

    def slipway(self, *words: str, **more: str) -> CliResult:
        """Run `slipway …` with the settings of this stack."""
        return slipway(*words, **{**self.settings, **more})

    def slipway_ok(self, *words: str, **more: str) -> CliResult:
        """Run it; it must succeed."""
        return slipway_ok(*words, **{**self.settings, **more})

    def blocks(self) -> dict[str, Any]:
        """The blocks that commands load, by their names."""
        from blocks import Droplet  # noqa: PLC0415 — after the environment is set

        made = {f"{self.name}-registry": self.registry.named()}
        if self.block != self.droplet.droplet:
            made[self.block] = Droplet.load(self.droplet.droplet).model_copy(
                update={"directory": self.droplet.directory}
            )
        return made

    def tidy(self) -> None:
        """Leave nothing of it on the droplet, on the build host, in the registry, among the blocks."""
        from blocks import StackEnvironment  # noqa: PLC0415 — after the environment is set

        remove_build_images(f"/{self.registry.namespace}")
        self.registry.empty()
        self.droplet.remove(self.registry.namespace)
        forget(StackEnvironment, self.name)


Kind = TypeVar("Kind", bound=LabStack)


@contextmanager
def lab_stack(
    kind: type[Kind],
    name: str,
    droplet: str,
    place: Path,
    *,
    directory: str = "",
    registry: RegistryNamespace | None = None,
    **more: Any,
) -> Iterator[Kind]:
    """A stack of this kind, with nothing of it anywhere and its blocks saved; afterwards nothing is left.

    Args:
        droplet: the lab's droplet that it is put on.
        directory: where it stands there; default: one of its own, with a Droplet block of its own, so that stacks which
            are tested side by side do not wait for each other's lock.
        registry: default: a namespace of its own in the lab's registry.
        more: fields of this kind, and settings (`SLIPWAY_…`).
    """
    own = {word: more.pop(word) for word in list(more) if word.startswith("SLIPWAY_")}
    directory = directory or f"/opt/{name}"
    block = droplet if directory == SHARED else f"{name}-droplet"
    stack = kind(
        name,
        registry or lab_registry(f"test-{name}"),
        DropletView(droplet, name, directory),
        block,
        settings(place / "reports", SLIPWAY_REGISTRY=f"{name}-registry", SLIPWAY_DROPLET=block, **own),
        place,
        **more,
    )
    with ExitStack() as closing:
        stack.tidy()  # what a killed run left
        closing.callback(stack.tidy)
        closing.enter_context(saved(**stack.blocks()))
        yield stack


def lab_registry(namespace: str) -> RegistryNamespace:
    """A namespace of the lab's registry."""
    from blocks import ContainerRegistry  # noqa: PLC0415 — after the environment is set

    return RegistryNamespace(ContainerRegistry.load("registry"), namespace)


def settings(reports: Path, **more: str) -> dict[str, str]:
    """Settings of a test run: reports go where nobody looks for the user's, Langfuse is left alone, and the whole stack
    runs on one droplet, without a data home."""
    own = {
        "SLIPWAY_LANGFUSE": "",
        "SLIPWAY_READINESS_DELAY": "1",
        "SLIPWAY_HOME": "",
        "SLIPWAY_SWITCH": "",
        "SLIPWAY_SIGNING": "",
        "SLIPWAY_TRUSTED": "",
    }
    return {"SLIPWAY_REPORTS": str(reports), **own, **more}
