"""Makes a stack ready to be played on both droplets, and leaves nothing of it."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.judge.droplet import run_on, script_on
from tests.support.judge.plain import PLACE, PlainCompose
from tests.support.judge.play import Play
from tests.support.judge.stack import JudgedStack
from tests.support.lab.droplet_view import DropletView
from tests.support.lab.lab_stack import lab_registry, settings
from tests.support.lab.registry_namespace import remove_build_images
from tests.support.lab.saved_blocks import forget, saved

RELEASED, PLAIN = "blue", "green"


@contextmanager
def playing(stack: JudgedStack, place: Path) -> Iterator[Play]:
    """A stack ready to be played, with nothing of it anywhere; afterwards nothing is left.

    Its directory on the droplet, blocks and namespace are its own, so that stacks can be played side by side.
    """
    from blocks import Droplet, StackEnvironment  # noqa: PLC0415 — after the environment is set
    from flows.tasks.runs.blocks import block_name  # noqa: PLC0415

    block = block_name(stack.project)
    name = f"judge-{block}"
    registry = lab_registry(f"test-{name}")
    checkout = place / "checkout" / "stack"
    own = settings(place / "reports", SLIPWAY_REGISTRY=f"{name}-registry", SLIPWAY_DROPLET=f"{name}-droplet")
    variables = {"REGISTRY": f"{registry.host}/{registry.namespace}", "IMAGE_TAG": "t1", "SLIPWAY_COLOUR": ""}
    plain = PlainCompose(PLAIN, f"{stack.project}/stack", stack.directory, stack.files, variables)
    view = DropletView(RELEASED, stack.project, f"/opt/{name}")

    def tidy() -> None:
        remove_build_images(f"/{registry.namespace}")
        registry.empty()
        view.remove(registry.namespace)
        plain.remove(stack.project, registry.namespace)
        run_on(PLAIN, "rm", "-rf", f"{PLACE}/{stack.project}")
        for droplet in (RELEASED, PLAIN):
            script_on(droplet, stack.afterwards)
        forget(StackEnvironment, block)

    with ExitStack() as closing:
        tidy()  # what a killed run left
        closing.callback(tidy)
        copy_checkout(stack.source, checkout)
        stack.prepare(checkout, registry)
        droplet = Droplet.load(RELEASED).model_copy(update={"directory": view.directory})
        closing.enter_context(saved(**{f"{name}-registry": registry.named(), f"{name}-droplet": droplet}))
        yield Play(stack, checkout, registry, own, plain, view)


def copy_checkout(source: Path | None, checkout: Path) -> None:
    """A checkout as git makes it: of the modes, only whether a file can be executed counts.

    Args:
        source: None: it is empty, and what prepares the stack writes it.
    """
    if source is None:
        checkout.mkdir(parents=True)
        return
    shutil.copytree(source, checkout, symlinks=True)
    for path in (checkout, *checkout.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o111 else 0o644)
