"""The stability page: one file that needs nothing else, and runs no script but ours. Prefect is not needed for it."""

import base64
import hashlib
from dataclasses import fields, is_dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from jinja2 import Environment
from markupsafe import Markup as SafeHtml

from flows.core.insight.stability.report import StabilityReport
from flows.core.insight.stability.words import MARKS, shown_count, shown_value, web_address
from flows.tasks.insight.plots import MISSING, stability_plots
from flows.tasks.runs.log_masking import mask

T = TypeVar("T")
# A page of 1,000 releases has all of them; of more, the newest. The JSON has every one.
_LINES, _STORIES, _LINKS = 1500, 200, 40
# Sorts a table by the column whose head is pressed: by `data-v` as numbers, else by its text.
_SCRIPT = """
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach(one => one.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = row => {
        const cell = row.cells[column], told = cell.dataset.v;
        return told === undefined ? cell.textContent : told === "" ? null : Number(told);
      };
      const order = (a, b) => a === b ? 0 : a === null ? 1 : b === null ? -1 : (a < b ? -1 : 1) * (up ? 1 : -1);
      table.tBodies[0].append(...[...table.tBodies[0].rows].sort((a, b) => order(key(a), key(b))));
    });
  });
}
"""


def masked_report(report: StabilityReport) -> StabilityReport:
    """The report without secrets, and without what a terminal would obey, in any of its words."""
    return _masked(report)


def stability_page(report: StabilityReport) -> str:
    """The page of a report, as HTML. Words of others are masked and escaped."""
    clean = masked_report(report)
    plots = {key: SafeHtml(svg) for key, svg in stability_plots(clean).items()}  # noqa: S704 — Matplotlib escapes
    digest = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    page: str = _template().render(
        report=clean, stable=clean.condition.stable, plots=plots, no_plots="" if plots else MISSING, marks=MARKS,
        rows={row.id: row for row in clean.releases}, most=_LINKS, stories=_STORIES, lines=_LINES,
        script=SafeHtml(_SCRIPT), script_hash=f"sha256-{digest}",  # noqa: S704 — it is ours
    )  # fmt: skip
    return page


@cache
def _template() -> Any:
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["value"] = shown_value
    environment.filters |= {"counted": shown_count, "web": web_address}
    environment.filters["moment"] = lambda text: str(text)[:16].replace("T", " ")
    return environment.from_string(files(__package__).joinpath("stability.html").read_text())


def _masked(value: T) -> T:
    if isinstance(value, str):
        return mask(value)  # type: ignore[return-value]
    if isinstance(value, tuple):
        return tuple(map(_masked, value))  # type: ignore[return-value]
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: _masked(getattr(value, one.name)) for one in fields(value)})
    return value
