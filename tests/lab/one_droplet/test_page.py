"""Every command of docs/ONE_DROPLET.md is run, in their order, on a droplet where a plain Compose project serves."""

import os
from pathlib import Path

import pytest

from tests import CHECKOUT
from tests.lab.one_droplet.unprepared import HOST, NAME, Bazaar, edge_image, start_plain
from tests.support.lab.doc_commands import Reader, fences
from tests.support.lab.lab import STATE
from tests.support.lab.saved_blocks import forget

pytestmark = pytest.mark.lab
PAGE = "ONE_DROPLET.md"


@pytest.fixture(scope="module")
def reader(bazaar: Bazaar, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """One who has one droplet, on which the stack serves."""
    start_plain(bazaar)
    home: Path = tmp_path_factory.mktemp("reader")
    (home / ".ssh").mkdir()
    (home / ".ssh/id_ed25519").write_text((STATE / "lab/droplet_key").read_text())
    (home / ".ssh/id_ed25519").chmod(0o600)
    (bazaar.place / NAME).rename(home / NAME)
    (home / NAME / ".env").write_text(f"REGISTRY={bazaar.registry.namespace}\nIMAGE_TAG=development\n")
    own = {k: v for k, v in bazaar.settings.items() if k not in ("SLIPWAY_ONE_DROPLET", "SLIPWAY_SWITCH")}
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("SLIPWAY_")}, **own, "HOME": str(home),
        "SLIPWAY_STATE": str(STATE), "PYTHONPATH": str(CHECKOUT),
    }  # fmt: skip
    here = {
        "--host 203.0.113.7": f"--host 127.0.0.1 --port {bazaar.host.ssh_port} --directory /opt/{NAME}",
        "edge setup prod": f"edge setup prod --image {edge_image(bazaar)} --tls internal",
        "agents.example.com": HOST, "my-stack": NAME,
    }  # fmt: skip
    return Reader(home, None, None, here, environment)  # type: ignore[arg-type]


def test_every_command_of_the_page_does_what_it_says(bazaar: Bazaar, reader: Reader) -> None:
    from blocks import Droplet  # noqa: PLC0415 — after the environment is set

    try:
        volumes = bazaar.volumes()
        assert len([fence for fence in fences(PAGE) if fence.language == "sh"]) > 5
        reader.follow(PAGE)
        assert bazaar.seen()[0] == "green"
        assert "sold: one lamp" in bazaar.ask("/rows").text
        assert bazaar.volumes() == volumes
        assert NAME not in bazaar.running()
    finally:
        reader.leave()
        forget(Droplet, "prod")
