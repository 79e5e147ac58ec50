"""A browser at the Prefect UI: the distribution's own Chromium, so that nothing is downloaded for Playwright."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser.prefect_api import server_answers
from tests.browser.prefect_ui import HEIGHT, WIDTH, PrefectUi
from tests.support.lab.lab import prefect_login

BROWSERS = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
ARGUMENTS = ["--disable-gpu", "--disable-quic", "--no-proxy-server"]  # beside those that Playwright gives by itself
PATIENCE_MS = 60_000


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium or Chrome; skipped where there is none, as nothing else needs one. The server is there."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        pytest.skip("no Chromium is installed: apt-get install --no-install-recommends chromium fonts-dejavu")
    if not server_answers():
        pytest.fail(
            f"no Prefect server answers at {os.environ['PREFECT_API_URL']}. Start it with: make lab", pytrace=False
        )
    return found


@pytest.fixture
def ui(chromium: str) -> Iterator[PrefectUi]:
    """The UI in a browser that knew nothing before, and was given the login that the UI asks for.

    Not longer than a test: Playwright keeps an event loop running in this thread, which nobody else could have then.
    """
    wanted = os.environ.get("SLIPWAY_PICTURES")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        at = os.environ["PREFECT_API_URL"].removesuffix("/api")
        page = browser.new_page(base_url=at, viewport={"width": WIDTH, "height": HEIGHT})
        page.set_default_timeout(PATIENCE_MS)
        ui = PrefectUi(page, Path(wanted).resolve() if wanted else None)
        if login := prefect_login():
            ui.log_in(login)
        yield ui
