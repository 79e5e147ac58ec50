"""The stability page: one file that needs nothing else, and runs no script but ours. Prefect is not needed for it."""

from markupsafe import Markup as SafeHtml

from flows.core.insight.stability.report import StabilityReport
from flows.core.insight.stability.words import MARKS
from flows.tasks.insight.plots import MISSING, stability_plots
from flows.tasks.insight.shell import masked, rendered

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


def stability_page(report: StabilityReport) -> str:
    """The page of a report, as HTML. Words of others are masked and escaped."""
    clean = masked(report)
    plots = {key: SafeHtml(svg) for key, svg in stability_plots(clean).items()}  # noqa: S704 — Matplotlib escapes
    return rendered(
        "stability.html", script=_SCRIPT,
        report=clean, stable=clean.condition.stable, plots=plots, no_plots="" if plots else MISSING, marks=MARKS,
        rows={row.id: row for row in clean.releases}, most=_LINKS, stories=_STORIES, lines=_LINES,
    )  # fmt: skip
