"""A browser that looks at the lab's Prefect UI. `SLIPWAY_PICTURES=docs/images` keeps pictures of what it sees."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import browsing, installed
from prefect_ui import Ui, address
from spare import STATE


@pytest.fixture(scope="session")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    """The UI in a browser; skipped where none is installed, as the lab does not need one for anything else."""
    chromium = installed()
    if not chromium:
        pytest.skip("no Chromium is installed: apt-get install --no-install-recommends chromium fonts-dejavu")
    if not (STATE / "lab" / "credentials.json").exists():
        pytest.fail("the lab does not run. Start it with: make lab", pytrace=False)
    wanted = os.environ.get("SLIPWAY_PICTURES")
    with browsing(chromium, tmp_path_factory.mktemp("chromium")) as page:
        yield Ui(page, address(), Path(wanted).resolve() if wanted else None)
