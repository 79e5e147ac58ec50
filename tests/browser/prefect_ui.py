"""Pages of the Prefect UI, as somebody who is asked for an answer reads them and uses them."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from browser import HEIGHT, WIDTH, Page

_DIALOG = "[role=dialog]"
_FIELDS = f"{_DIALOG} .p-label.schema-form-property"
_TABLES = "look('%s table').map(t => [...t.rows].map(row => [...row.cells].map(cell => cell.innerText.trim())))"
_TAKEN, _TRIES = 20.0, 3


@dataclass
class Ui:
    """The UI of a Prefect server.

    Args:
        url: where it is.
        pictures: where pictures of it go; None: nobody wants any.
    """

    page: Page
    url: str
    pictures: Path | None

    def picture(self, name: str, height: int = HEIGHT, width: int = WIDTH) -> None:
        """Keep what is seen, if somebody wants it."""
        if self.pictures:
            self.page.picture(self.pictures / f"{name}.png", height, width)

    # The page of a run.

    def open_run(self, run: str, state: str, logged: str) -> None:
        """Its page, once it shows this state, and these words in its log; what was logged last stands first."""
        self.page.go(f"{self.url}/flow-runs/flow-run/{run}")  # as `slipway` prints it
        self.page.until(f"look('.state-badge', {json.dumps(state)}).length")
        self.page.choose("select:has([value=TIMESTAMP_DESC])", "Newest to oldest")
        self.page.until(f"look('body', {json.dumps(logged)}).length")

    def open_question(self) -> tuple[str, list[list[list[str]]]]:
        """Press Resume on the page of a paused run. Returns the question's text and its tables, row by row."""
        self.page.click("button", "Resume")
        self.page.until(f"look('{_DIALOG} table').length && look('{_FIELDS}').length")
        return str(self.page.look(f"look('{_DIALOG} article')[0].innerText")), self.tables(_DIALOG)

    def labels(self) -> list[str]:
        """What the dialog asks for."""
        return list(self.page.look(f"look('{_FIELDS}').map(e => e.querySelector('label').innerText.trim())"))

    def fill_in(self, decision: str, name: str, reason: str) -> None:
        """Fill in the dialog, as far as there is something to be filled in."""
        if decision:
            self.page.choose(f"{_FIELDS} select:has(option)", decision)
        for number, text in ((2, name), (3, reason)):
            if text:
                self.page.fill(f"{_FIELDS}:nth-child({number}) textarea", text)

    def submit_in_vain(self) -> list[str]:
        """Press Submit, and see that the dialog stays. Returns what it finds wrong."""
        self.page.click(f"{_DIALOG} button", "Submit")
        wrong = f"look('{_DIALOG} .p-label__message').map(e => e.innerText.trim())"
        self.page.until(f"{wrong}.length")
        return list(self.page.look(wrong))

    def submit(self) -> None:
        """Press Submit until the dialog is gone. A server that is busy may answer 500, and the UI then says `Oops`."""
        for left in reversed(range(_TRIES)):
            self.page.click(f"{_DIALOG} button", "Submit")
            try:
                self.page.until(f"!look('{_DIALOG}').length", _TAKEN)
                return
            except AssertionError:
                if not left:
                    raise

    # The page of an artifact.

    def open_artifact(self, artifact: str, key: str) -> tuple[str, list[list[str]]]:
        """Its page. Returns the text that is seen, and the first table, row by row."""
        self.page.go(f"{self.url}/artifacts/artifact/{artifact}")
        self.page.until(f"look('body', {json.dumps(key)}).length && look('table td').length")
        return str(self.page.look("document.body.innerText")), self.tables("body")[0]

    def tables(self, where: str) -> list[list[list[str]]]:
        """The tables inside an element."""
        return list(self.page.look(_TABLES % where))


def address() -> str:
    """Where the lab's Prefect UI is."""
    return os.environ["PREFECT_API_URL"].rstrip("/").removesuffix("/api")
