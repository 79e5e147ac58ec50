"""The plots of the stability page, as SVG whose text is text and whose colours are the page's; by Matplotlib.

Matplotlib is the extra `report` of the package: it brings NumPy and Pillow, 170 MB in all, and only this needs it. It
is imported when the first plot is drawn; where it is not installed, the page says so and has its tables.
"""

import base64
import io
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib import import_module
from typing import Any

from flows.core.insight.stability.number import Number
from flows.core.insight.stability.report import StabilityReport

# Colours that nobody would choose, each of which becomes a variable of the page.
COLOURS: Mapping[str, str] = {
    "#010203": "ink", "#010204": "faint", "#010205": "line", "#010206": "good", "#010207": "bad", "#010208": "limit",
    "#010209": "second",
}  # fmt: skip
INK, FAINT, LINE, GOOD, BAD, LIMIT, SECOND = COLOURS
# Readable on dark and on light paper, where a picture cannot ask which one it lies on.
_READABLE: Mapping[str, str] = {
    "ink": "#7d8795", "faint": "#9aa3ae55", "line": "#3f8fd6", "good": "#2f9e5f", "bad": "#e0554c", "limit": "#c98324",
    "second": "#9b86d3",
}  # fmt: skip
_ACROSS, _OVERVIEW = 3, (9.0, 6.0)
_CLOSE: Mapping[str, float] = {
    "hspace": 0.45, "wspace": 0.3, "left": 0.07, "right": 0.99, "top": 0.95, "bottom": 0.05,
}  # fmt: skip
MISSING = "The plots need Matplotlib, which is not installed here: pip install 'slipway[report]'"
_SIZE, _FONT, _SMALL = (4.6, 1.8), 8, 6.5
# Where the axes stand in the figure: left, bottom, width, height. What Matplotlib works out by itself takes longer.
_ROOM, _ROOM_FOR_NAMES = (0.13, 0.15, 0.86, 0.81), (0.24, 0.25, 0.74, 0.71)
_MOST_MARKS = 400
_HOUR, _MINUTE = 3600.0, 60.0
_SETTINGS: Mapping[str, Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "slipway", "text.parse_math": False, "font.size": _FONT,
    "font.family": ["sans-serif"], "axes.edgecolor": FAINT, "axes.labelcolor": INK, "text.color": INK,
    "xtick.color": INK, "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "axes.grid.axis": "y", "grid.color": FAINT, "grid.linewidth": 0.5, "axes.axisbelow": True,
    "figure.facecolor": "none", "axes.facecolor": "none", "savefig.facecolor": "none", "lines.linewidth": 1.4,
}  # fmt: skip


def stability_plots(report: StabilityReport) -> dict[str, str]:
    """A number's key → its plot as an SVG element; empty where Matplotlib is not installed."""
    try:
        matplotlib = import_module("matplotlib")
        figure, canvas = import_module("matplotlib.figure"), import_module("matplotlib.backends.backend_svg")
    except ImportError:
        return {}
    found = {}
    with matplotlib.rc_context(dict(_SETTINGS)):
        for number in report.numbers:
            drawn = figure.Figure(figsize=_SIZE)
            canvas.FigureCanvasSVG(drawn)
            axes = drawn.add_axes(_ROOM_FOR_NAMES if number.key == "trace_coverage" else _ROOM)
            draw = _DRAWN.get(number.key, _course)
            if draw(axes, number, report):
                found[number.key] = _svg(drawn, number.key, _told(number))
    return found


def overview_picture(report: StabilityReport) -> str:
    """All plots as one picture, as the address of an image in Markdown (`data:`); '' without Matplotlib."""
    try:
        matplotlib = import_module("matplotlib")
        figure, canvas = import_module("matplotlib.figure"), import_module("matplotlib.backends.backend_svg")
    except ImportError:
        return ""
    with matplotlib.rc_context({**_SETTINGS, "font.size": _SMALL}):
        drawn = figure.Figure(figsize=_OVERVIEW)
        canvas.FigureCanvasSVG(drawn)
        places = drawn.subplots(_ACROSS, _ACROSS, gridspec_kw=dict(_CLOSE)).flat
        for axes, number in zip(places, report.numbers, strict=False):
            if not _DRAWN.get(number.key, _course)(axes, number, report):
                axes.set_axis_off()
            axes.set_title(f"{number.title}: {number.verdict}", fontsize=_SMALL)
        text = _svg(drawn, "overview", "The numbers by days")
    for name, colour in _READABLE.items():
        text = text.replace(f"var(--{name})", colour)
    return f"data:image/svg+xml;base64,{base64.b64encode(_alone(text).encode()).decode()}"


def _alone(svg: str) -> str:
    """An element of a page as an image of its own."""
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return svg.replace("<svg ", f'<svg {names} width="900" height="600" ', 1)


def _course(axes: Any, number: Number, _: StabilityReport) -> bool:
    """The value day by day, and the threshold."""
    factor, unit = _scale(number)
    days = [(place, day.value * factor) for place, day in enumerate(number.course) if day.value is not None]
    if not days:
        return False
    well = [_is_well(number, value / factor) for _, value in days]
    axes.plot(*zip(*days, strict=True), color=LINE, zorder=2)
    axes.scatter(*zip(*days, strict=True), c=[GOOD if one else BAD for one in well], s=16, zorder=3, clip_on=False)
    if _is_near(number):
        axes.axhline(number.threshold * factor, color=LIMIT, linestyle="--", linewidth=1)
    _days(axes, number, unit)
    return True


def _bars(axes: Any, number: Number, report: StabilityReport) -> bool:
    """Releases a day: those that held, and those that did not."""
    if not number.course:
        return False
    bad = {row.id for row in report.releases if row.outcome in ("failed", "rolled back")}
    moments = {row.id: (row.serving or row.began)[:10] for row in report.releases}
    failed = [sum(moments.get(one) == day.day for one in bad & set(number.behind)) for day in number.course]
    places = range(len(number.course))
    held = [day.count - lost for day, lost in zip(number.course, failed, strict=True)]
    axes.bar(places, held, color=LINE, width=0.6)
    axes.bar(places, failed, bottom=held, color=BAD, width=0.6)
    axes.axhline(number.threshold, color=LIMIT, linestyle="--", linewidth=1)
    _days(axes, number, "releases")
    return True


def _requests(axes: Any, number: Number, report: StabilityReport) -> bool:
    """Error rate or latency hour by hour, with the moments of the releases."""
    factor, unit = _scale(number)
    told = [(one.at, getattr(one, number.key)) for one in report.course]
    known = [(at, value * factor) for at, value in told if value is not None]
    if not known:
        return False
    # A gap in what Prometheus has is a gap in the line.
    line = [(at, value * factor if value is not None else float("nan")) for at, value in told]
    axes.plot(*zip(*line, strict=True), color=LINE, zorder=3)
    axes.scatter(*zip(*known, strict=True), color=LINE, s=2, zorder=3)
    top = 1.05 * max(value for _, value in known) or 1.0
    for bad, colour, width in ((False, SECOND, 0.5), (True, BAD, 1.4)):
        marks = [datetime.fromisoformat(one.at).timestamp() for one in report.changes if one.worse is bad]
        if marks:
            axes.vlines(marks[:_MOST_MARKS], 0, top, color=colour, linewidth=width, alpha=0.6)
    if number.threshold * factor < 5 * max(value for _, value in known):
        axes.axhline(number.threshold * factor, color=LIMIT, linestyle="--", linewidth=1)
    begin, until = (datetime.fromisoformat(text).timestamp() for text in (report.begin, report.until))
    axes.set_xlim(begin, until)
    first = datetime.fromisoformat(report.begin).replace(hour=0, minute=0, second=0).timestamp()
    ticks = [(first + 86400 * place, day.day[5:]) for place, day in enumerate(number.course)]
    step = max(1, len(ticks) // 8)
    shown = [(at, day) for at, day in ticks if at >= begin][::step]
    axes.set_xticks([at for at, _ in shown], [day for _, day in shown])
    axes.set_ylim(bottom=0)
    axes.set_ylabel(unit)
    return True


def _parts(axes: Any, number: Number, report: StabilityReport) -> bool:
    """The share of each agent, with its interval."""
    parts = [one for one in number.parts if one.of == "agent" and one.value is not None][:12]
    if not parts:
        return _course(axes, number, report)
    for place, one in enumerate(reversed(parts)):
        low, high = one.interval or (0.0, 0.0)
        colour = GOOD if (one.value or 0.0) >= number.threshold else BAD
        axes.plot([low * 100, high * 100], [place, place], color=FAINT, linewidth=3, solid_capstyle="round")
        axes.scatter([(one.value or 0.0) * 100], [place], color=colour, s=20, zorder=3)
    axes.set_yticks(range(len(parts)), [one.name[:24] for one in reversed(parts)])
    axes.axvline(number.threshold * 100, color=LIMIT, linestyle="--", linewidth=1)
    axes.set_xlabel("% of traced workflows, with the 95 % interval")
    return True


_DRAWN: Mapping[str, Callable[[Any, Number, StabilityReport], bool]] = {
    "deployment_frequency": _bars,
    "error_rate": _requests,
    "latency": _requests,
    "trace_coverage": _parts,
}


def _is_well(number: Number, value: float) -> bool:
    return value >= number.threshold if number.wanted.startswith("at least") else value <= number.threshold


def _is_near(number: Number) -> bool:
    """Whether the threshold is near enough to the values to be drawn beside them."""
    largest = max((day.value for day in number.course if day.value is not None), default=0.0)
    return number.unit == "share" or number.threshold < 5 * largest


def _scale(number: Number) -> tuple[float, str]:
    """What a value is multiplied by, and the unit that it has then."""
    if number.unit == "share":
        return 100.0, "%"
    values = [day.value for day in number.course if day.value is not None]
    largest = max([*values, number.threshold if _is_near(number) else 0.0])
    for seconds, name in ((_HOUR, "hours"), (_MINUTE, "minutes")):
        if largest >= 2 * seconds:
            return 1 / seconds, name
    return 1.0, "seconds"


def _days(axes: Any, number: Number, unit: str) -> None:
    step = max(1, len(number.course) // 8)
    places = range(0, len(number.course), step)
    axes.set_xticks(list(places), [number.course[place].day[5:] for place in places])
    axes.set_xlim(-0.5, len(number.course) - 0.5)
    axes.set_ylim(bottom=0)
    axes.set_ylabel(unit)


def _told(number: Number) -> str:
    return f"{number.title}, by days"


def _svg(drawn: Any, key: str, title: str) -> str:
    """The figure as an element of a page: scaled to its place, its ids its own, its colours variables."""
    raw = io.StringIO()
    drawn.savefig(raw, format="svg", metadata={"Date": None, "Creator": None, "Title": title})
    text = raw.getvalue()
    text = text[text.index("<svg") :]
    before, _, rest = text.partition("<metadata>")
    text = before + rest.partition("</metadata>")[2] if rest else before
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{key}-", text)
    text = re.sub(r'<svg [^>]*viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1" role="img" class="plot">', text, count=1)
    for colour, name in COLOURS.items():
        text = text.replace(colour, f"var(--{name})")
    return text
