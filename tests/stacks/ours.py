"""The sample stack and the shop, as the judge plays them: under names and ports of their own."""

from pathlib import Path

from tests import CHECKOUT
from tests.stacks.compose_features import KEY, SHELF, TOKEN, VARIABLES
from tests.support.judge.stack import JudgedStack, added, replaced
from tests.support.lab.registry_namespace import RegistryNamespace

SAMPLE, SHOP = "judged-sample", "judged-shop"
WORKFLOW = "      workflow: {post: /orders, body: {item: tea}, expect: order.signature, traced: false}\n"


def prepare_sample(checkout: Path, registry: RegistryNamespace) -> None:
    """Its name and address are its own: other tests have the sample on the same droplets."""
    replaced("docker-compose.yml", "name: agents\n", f"name: {SAMPLE}\n")(checkout)
    (checkout / ".env").write_text("BIND_ADDRESS=127.0.0.9\n")


def prepare_shop(checkout: Path, registry: RegistryNamespace) -> None:
    """Its names are its own; an image from elsewhere, and what git does not keep of it."""
    replaced("deploy/compose.yaml", "name: corner-shop\n", f"name: {SHOP}\n")(checkout)
    replaced("deploy/compose.yaml", "127.0.0.1:18473:", "127.0.0.9:18473:")(checkout)
    replaced("deploy/compose.yaml", "corner-shop-backbone", f"{SHOP}-backbone")(checkout)
    # The workflow of a release orders tea, and plain Compose asks for none.
    replaced("deploy/compose.yaml", WORKFLOW, "")(checkout)
    shelf = registry.push("shelf:7", SHELF.format(made=registry.namespace), checkout.parent)
    lines = [f"{name}={written}" for name, (written, _) in VARIABLES.items()]
    (checkout / "deploy" / ".env").write_text("\n".join([*lines, f"SHELF={shelf}", ""]))
    (checkout / "deploy" / "shop.env").write_text(f"PAYMENT_KEY='{KEY}'\nOPEN=yes\n")
    (checkout / "deploy" / "secrets").mkdir()
    (checkout / "deploy" / "secrets" / "token").write_text(TOKEN)


STACKS = (
    JudgedStack(
        project=SAMPLE,
        source=CHECKOUT / "compose",
        prepare=prepare_sample,
        change=added("agents/services/orchestrator.py", "# another release\n"),
        stack="docker-compose.yml",
        files=("docker-compose.yml",),
        written={"rag-context:/data/*": "grows", "state-persistence:/data/*": "grows"},
        name="the sample",
    ),
    JudgedStack(
        project=SHOP,
        source=Path(__file__).parent / "compose_features",
        prepare=prepare_shop,
        change=added("config/motto", "and another line\n"),
        concerns=("Web.Front",),
        stack="deploy/compose.yaml",
        directory="deploy",
        written={"*:/orders/*": "grows", "*:/spool/*": "grows"},
        name="the shop",
    ),
)
