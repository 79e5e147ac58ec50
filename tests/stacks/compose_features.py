"""A shop unlike the sample: includes, profiles, quoting, secrets, state; on the droplet `blue`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from tests.support.lab.cli import CliResult
from tests.support.lab.git_checkout import checkout, commit
from tests.support.lab.lab_stack import LabStack, lab_stack

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
class ComposeFeaturesStack(LabStack):
    """The shop; what is released is what stands in its checkout."""

    @property
    def checkout(self) -> Path:
        return self.place / "shop"

    @property
    def compose_file(self) -> Path:
        return self.checkout / "deploy" / "compose.yaml"

    def release(self, *words: str, **more: str) -> CliResult:
        """Commit what stands in the checkout, and release it."""
        commit(self.checkout)
        return self.slipway_ok("release", "--stack", str(self.compose_file), *words, **more)

    def write(self, path: str, text: str) -> None:
        target = self.checkout / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(text)

    def save_environment(self) -> CliResult:
        return self.slipway_ok("environment", "set", "--stack", str(self.compose_file))


@contextmanager
def open_compose_features_stack(place: Path) -> Iterator[ComposeFeaturesStack]:
    """Everything a first release needs."""
    with lab_stack(ComposeFeaturesStack, STACK, "blue", place) as shop:
        checkout(Path(__file__).parent / "compose_features", shop.checkout)
        shelf = shop.registry.push("shelf:7", SHELF.format(made=shop.registry.namespace), place)
        lines = [f"{name}={written}" for name, (written, _) in VARIABLES.items()]
        shop.write("deploy/.env", "\n".join([*lines, f"SHELF={shelf}", ""]))
        shop.write("deploy/shop.env", f"PAYMENT_KEY='{KEY}'\nOPEN=yes\n")
        shop.write("deploy/secrets/token", TOKEN)
        shop.save_environment()
        yield shop
