"""Pages of the Prefect UI, as somebody who is asked for an answer reads them and uses them."""

import re
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

WIDTH, HEIGHT = 1400, 1000
_TABLES = "tables => tables.map(t => [...t.rows].map(row => [...row.cells].map(cell => cell.innerText.trim())))"
_TAKEN_MS, _TRIES = 20_000, 3
Table = list[list[str]]


@dataclass
class PrefectUi:
    """The UI of a Prefect server. What it waits for has an end.

    Args:
        page: a tab of the browser; its base address is the server's.
        pictures: where pictures of it go; None: nobody wants any.
    """

    page: Page
    pictures: Path | None

    def picture(self, name: str, height: int = HEIGHT, width: int = WIDTH) -> None:
        """Keep what is seen, if somebody wants it."""
        if self.pictures:
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.wait_for_load_state("networkidle")
            self.page.screenshot(path=self.pictures / f"{name}.png", animations="disabled")
            self.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})

    # What it asks for first.

    def log_in(self, login: str) -> None:
        """Give it the login, as somebody who opens it for the first time."""
        self.page.goto("/")
        field = self.page.get_by_placeholder("admin:pass")
        field.fill(login)
        self.page.get_by_role("button", name="Login").click()
        expect(field).to_be_hidden()

    # The page of a run.

    def open_run(self, run: str, state: str, logged: str) -> None:
        """Its page, once it shows this state, and these words in its log; what was logged last stands first."""
        self.page.goto(f"/runs/flow-run/{run}")  # as Prefect prints it
        expect(self.page.get_by_text(state, exact=True).first).to_be_visible()
        log = self.page.get_by_role("code")
        expect(log).to_contain_text("flow_runs")
        _choose(self.page.get_by_role("button", name=re.compile("^(Oldest|Newest) to")), "Newest to oldest")
        expect(log).to_contain_text(logged)

    def run_again(self) -> None:
        """Press Retry on the page of a run that failed, and say yes."""
        self.page.get_by_role("button", name="Retry").click()
        self.dialog.get_by_role("button", name="Retry").click()
        expect(self.dialog).to_be_hidden()

    # The form of a run of a deployment.

    def open_form(self, deployment: str) -> None:
        """The page that asks for the parameters of a custom run."""
        self.page.goto(f"/deployments/deployment/{deployment}/run")
        expect(self.page.get_by_text("Validate parameters")).to_be_visible()

    def choose(self, parameter: str, value: str) -> None:
        """Choose one of the known values."""
        field = self._parameter(parameter)
        field.get_by_role("button", name="known", exact=True).click()
        _choose(field.get_by_role("group").get_by_role("button"), value)

    def write(self, parameter: str, value: str) -> None:
        """Write a value that is no choice."""
        field = self._parameter(parameter)
        field.get_by_role("button", name="str", exact=True).click()
        field.get_by_role("textbox").fill(value)

    def start_run(self) -> None:
        """Press Submit until the page of the deployment comes; a server that is busy may answer 500 or 503."""
        for left in reversed(range(_TRIES)):
            self.page.get_by_role("button", name="Submit").click()
            try:
                expect(self.page).not_to_have_url(re.compile("/run$"), timeout=_TAKEN_MS)
                return
            except AssertionError:
                if not left:
                    raise

    def _parameter(self, name: str) -> Locator:
        label = self.page.locator(".schema-form-property__label", has_text=re.compile(rf"^{name}( \(Optional\))?$"))
        return self.page.locator(".schema-form-property").filter(has=label)

    # The dialog of a run that waits.

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    def open_question(self) -> tuple[str, list[Table]]:
        """Press Resume on the page of a paused run. Returns the question's text and its tables, row by row."""
        self.page.get_by_role("button", name="Resume").click()
        expect(self.dialog.get_by_role("textbox").last).to_be_visible()
        question = self.dialog.get_by_role("article").first
        expect(question.get_by_role("table").first).to_be_visible()
        return question.inner_text(), _tables(question)

    def labels(self) -> list[str]:
        """What the dialog asks for."""
        return [label.strip() for label in self.dialog.locator("label").all_inner_texts()]

    def decide(self, decision: str) -> None:
        """Choose the decision."""
        _choose(self._field("Decision").get_by_role("button"), decision)

    def fill_in(self, field: str, text: str) -> None:
        """Write into a field."""
        self._field(field).get_by_role("textbox").fill(text)

    def submit_in_vain(self) -> list[str]:
        """Press Submit, and see that the dialog stays. Returns what it finds wrong."""
        self._submit()
        wrong = self.dialog.get_by_text("is a required property")
        expect(wrong.first).to_be_visible()
        return wrong.all_inner_texts()

    def submit(self) -> None:
        """Press Submit until the dialog is gone. A server that is busy may answer 500, and the UI then says `Oops`."""
        for left in reversed(range(_TRIES)):
            self._submit()
            try:
                expect(self.dialog).to_be_hidden(timeout=_TAKEN_MS)
                return
            except AssertionError:
                if not left:
                    raise

    def _submit(self) -> None:
        self.dialog.get_by_role("button", name="Submit").click()

    def _field(self, name: str) -> Locator:
        """What is filled in below a label; the two are tied by nothing but the element around them."""
        around = self.dialog.locator(".schema-form-property")
        return around.filter(has=self.page.get_by_text(name, exact=True)).get_by_role("group")

    # The page of an artifact.

    def open_artifact(self, artifact: str, key: str) -> tuple[str, Table]:
        """Its page. Returns the text that is seen, and the first table, row by row."""
        self.page.goto(f"/artifacts/artifact/{artifact}")
        expect(self.page.get_by_text(key, exact=True).first).to_be_visible()
        expect(self.page.get_by_role("cell").first).to_be_visible()
        body = self.page.locator("body")
        return body.inner_text(), _tables(body)[0]


def _choose(button: Locator, option: str) -> None:
    """Choose from a list by the keyboard: a click on the button's words opens the list and closes it at once."""
    button.press("Space")
    button.page.get_by_role("option", name=option, exact=True).click()
    expect(button).to_have_text(option)


def _tables(inside: Locator) -> list[Table]:
    """The tables inside an element."""
    return list(inside.get_by_role("table").evaluate_all(_TABLES))
