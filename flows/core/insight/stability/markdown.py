"""A stability report as Markdown, for the Prefect UI."""

from collections.abc import Iterable

from flows.core.insight.stability.report import StabilityReport
from flows.core.insight.stability.words import MARKS, shown_count, shown_interval, shown_value, sparkline, web_address
from flows.core.quotation import Markup, literal, quoted_line

_GROUPS = {"runbook": "The numbers of the runbook", "delivery": "The four of DORA"}
_STORIES, _REMARKS = 20, 20


def stability_markdown(report: StabilityReport, page: str = "", picture: str = "") -> str:
    """The report, its text fit to be masked as a whole afterwards.

    Args:
        page: where the page with the plots was written; '' for nowhere.
        picture: address of a picture of the courses; '' for none.
    """
    lines = [f"# {literal(report.sentence, cell=False)}", ""]
    if report.made:
        lines += ["**These records were made for show. Nobody released anything.**", ""]
    if picture:
        lines += [f"![The numbers by days]({picture})", ""]
    if page:
        lines += [f"With plots, tables and stories: `{page}`", ""]
    for group, title in _GROUPS.items():
        lines += [f"## {title}", "", "| | number | value | 95 % | of | wanted | by days | why |", "| --- " * 8 + "|"]
        for one in report.numbers:
            if one.group == group:
                cells = (
                    MARKS[one.verdict], one.title, shown_value(one.value, one.unit), shown_interval(one),
                    shown_count(one), one.wanted, sparkline(one.course),
                    one.why if one.verdict != "not enough data" else f"not enough data: {one.why}",
                )  # fmt: skip
                lines.append(_row(cells))
        lines.append("")
    condition = "stable" if report.condition.stable else "not stable: " + "; ".join(report.condition.reasons)
    lines += [f"The active release is {literal(condition, cell=False)}.", ""]
    lines += [literal(f"{report.condition.sentence}.", cell=False), ""]
    if report.stories:
        lines += ["## What did not hold", "", "| when | release | where | outcome | what failed | afterwards | run |"]
        lines.append("| --- " * 7 + "|")
        urls = {row.id: row.url for row in report.releases}
        for story in report.stories[:_STORIES]:
            what = quoted_line("; ".join((*story.failed, story.words)))
            url = web_address(urls.get(story.rollout, ""))
            link = Markup(f"[run]({url})") if url else ""
            lines.append(_row((story.at, story.tag, story.place, story.outcome, what, story.afterwards, link)))
        lines.append("")
    if report.remarks:
        lines += ["## What is not known", "", *(f"- {literal(r, cell=False)}" for r in report.remarks[:_REMARKS]), ""]
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(literal(cell) for cell in cells) + " |"
