"""The numbers of a stability report in words and signs: for a page, a terminal and Markdown alike."""

from collections.abc import Sequence

from flows.core.insight.stability.number import DayValue, Number, Unit, counted_words

UNKNOWN = "unknown"
MARKS = {"pass": "✓", "fail": "✗", "not enough data": "?"}
_BARS = "▁▂▃▄▅▆▇█"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def shown_value(value: float | None, unit: Unit) -> str:
    """A value with its unit, to three significant digits or so; None is `unknown`."""
    if value is None:
        return UNKNOWN
    if unit == "share":
        return f"{value:.2%}" if 0 < value < 0.1 else f"{value:.1%}"
    return shown_seconds(value) if unit == "s" else f"{value:.2g} a day"


def shown_seconds(seconds: float) -> str:
    """Seconds as people say them: `0.35 s`, `12.4 s`, `4 min 20 s`, `3 h 5 min`, `2 d 4 h`."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 2 * _MINUTE:
        return f"{seconds:.1f} s"
    for large, small, names in ((_DAY, _HOUR, "d h"), (_HOUR, _MINUTE, "h min"), (_MINUTE, 1, "min s")):
        if seconds >= large:
            first, second = names.split()
            whole, rest = divmod(round(seconds / small), large // small)
            return f"{whole} {first} {rest} {second}" if rest else f"{whole} {first}"
    return f"{seconds:.1f} s"


def shown_interval(number: Number) -> str:
    """The interval of a share: `82 % to 99 %`; '' where there is none."""
    return f"{number.interval[0]:.1%} to {number.interval[1]:.1%}" if number.interval else ""


def shown_count(number: Number) -> str:
    """What a number rests on: `28 releases`."""
    return counted_words(number.count, number.counted)


def sparkline(course: Sequence[DayValue]) -> str:
    """The course by days in one line; a day of which nothing is known is a dot."""
    known = [day.value for day in course if day.value is not None]
    if not known:
        return ""
    low, high = min(0.0, *known), max(known)
    span = high - low or 1.0
    return "".join(
        "·" if day.value is None else _BARS[min(len(_BARS) - 1, int((day.value - low) / span * len(_BARS)))]
        for day in course
    )


def web_address(url: str) -> str:
    """The address, where it is one of the web and can stand in a link as it is; else ''."""
    return url if url.startswith(("http://", "https://")) and not set(url) & set("()<>\"'\\ \t\r\n") else ""
