"""The corner shop: a stack of other names and habits, opened on the droplet `blue` and closed again."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from secrets import token_hex

from tests.support.lab.cli import CliResult, slipway_ok
from tests.support.lab.droplet_view import DropletView
from tests.support.lab.git_checkout import checkout, commit
from tests.support.lab.lab_stack import settings
from tests.support.lab.registry_namespace import RegistryNamespace, remove_build_images
from tests.support.lab.saved_blocks import forget, saved

STACK = "corner-shop"
SHELF = 'FROM debian:trixie-slim\nLABEL made="{made}"\nCMD ["sleep", "infinity"]\n'
# As people write them, and as a container must see them.
VARIABLES = {
    "GREETING": (
        r'''"it's \"5\$\" # off, \$HOME, C:\\tea 100%\nand more"''',
        'it\'s "5$" # off, $HOME, C:\\tea 100%\nand more',
    ),
    "MOTTO": (r"'single $HOME # \n stays'", r"single $HOME # \n stays"),
    "PLAIN": ("two words # a remark", "two words"),
}
KEY = f"key-{token_hex(8)} $HOME #1"
TOKEN = f"{token_hex(8)} \"open\" $HOME 'sesame' \\n\n"


@dataclass(frozen=True)
class ComposeFeaturesStack:
    """The shop's checkout, its namespace of the registry, and the droplet it is on."""

    checkout: Path
    registry: RegistryNamespace
    droplet: DropletView
    settings: dict[str, str]

    @property
    def compose_file(self) -> Path:
        return self.checkout / "deploy" / "compose.yaml"

    def release(self, *words: str, **more: str) -> CliResult:
        """Commit what stands in the checkout, and release it."""
        commit(self.checkout)
        return slipway_ok("release", "--stack", str(self.compose_file), *words, **{**self.settings, **more})

    def write(self, path: str, text: str) -> None:
        target = self.checkout / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(text)

    def save_environment(self) -> CliResult:
        return slipway_ok("environment", "set", "--stack", str(self.compose_file), **self.settings)


@contextmanager
def open_compose_features_stack(tmp: Path) -> Iterator[ComposeFeaturesStack]:
    """Everything a first release needs; afterwards nothing of the shop is left anywhere."""
    from blocks import ContainerRegistry, StackEnvironment  # noqa: PLC0415 — after the environment is set

    registry = RegistryNamespace(ContainerRegistry.load("registry"), "test-shop")
    droplet = DropletView("blue", STACK)
    own = settings(tmp / "reports", SLIPWAY_REGISTRY="shop-registry", SLIPWAY_DROPLET="blue")
    shop = ComposeFeaturesStack(
        checkout(Path(__file__).parent / "compose_features", tmp / "shop"), registry, droplet, dict(own)
    )
    with ExitStack() as stack:
        for tidy in (
            partial(remove_build_images, f"/{registry.namespace}"),
            registry.empty,
            partial(droplet.remove, registry.namespace),
            partial(forget, StackEnvironment, STACK),
        ):
            tidy()  # what a killed run left
            stack.callback(tidy)
        stack.enter_context(saved(shop_registry=registry.named()))
        shelf = registry.push("shelf:7", SHELF.format(made=registry.namespace), tmp)
        lines = [f"{name}={written}" for name, (written, _) in VARIABLES.items()]
        shop.write("deploy/.env", "\n".join([*lines, f"SHELF={shelf}", ""]))
        shop.write("deploy/shop.env", f"PAYMENT_KEY='{KEY}'\nOPEN=yes\n")
        shop.write("deploy/secrets/token", TOKEN)
        shop.save_environment()
        yield shop
