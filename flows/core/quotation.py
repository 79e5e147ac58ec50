"""Words of others, made fit to be shown: without what a terminal obeys or Markdown reads, and cut to a readable length.

One line of a log may be megabytes long, and hold what moves the cursor, fills the clipboard or turns the direction of
reading. To be cut only once secrets are masked: half a secret is known to no mask.
"""

import re

WIDTH = 400
LINES = 20
# Whole sequences, as ECMA-48 has them: with parameters and a letter, with a string and its end, or a letter alone.
_SEQUENCE = re.compile(r"\x1b\[[0-?]*+[ -/]*+[@-~]|\x1b[\]PX^_][^\x07\x1b]*+(?:\x07|\x1b\\)|\x1b[ -/]*+[0-Z\\^-~]")
# C0 but tab and line break, C1, half characters, and what is invisible or turns the direction of reading (UAX #9).
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]"
)
_MARKUP = re.compile(r"[`*_~<>\[\]&!\\]|://|www\.|^\s*(?:[#+=-]|\d+[.)]\s)")

# What ends no link, begins no other, and leads to a page: a scheme of the web, or a path of the UI that shows it.
_ADDRESS = re.compile(r"(?:https?://|/(?!/))[!#-;=?-Z_a-z|~]{0,2000}")


class Markup(str):
    """Markdown of our own, to be shown as such."""

    __slots__ = ()


def without_controls(text: str) -> str:
    """The text without terminal control sequences; single control characters become `�`, a lone return a blank."""
    if not _CONTROL.search(text):
        return text
    plain = _SEQUENCE.sub("", text.replace("\r\n", "\n").rstrip("\r")).replace("\r", " ")
    return _CONTROL.sub("\ufffd", plain)


def literal(text: str, *, cell: bool = True) -> str:
    """Words of others as one line of Markdown that shows them letter by letter: as code, where it would read them.

    Args:
        cell: whether it stands in a table, where `|` ends a cell.
    """
    line = " ".join(text.split())
    if not isinstance(text, Markup) and _MARKUP.search(line):
        longest = max((len(run) for run in re.findall("`+", line)), default=0)
        fence, space = "`" * (longest + 1), " " if line[:1] == "`" or line[-1:] == "`" else ""
        line = f"{fence}{space}{line}{space}{fence}"
    return line.replace("\\|", "\\ |").replace("|", "\\|") if cell else line


def link_or_words(text: str, url: str, *, cell: bool = True) -> str:
    """Words of others as a link of Markdown; as mere words where the address is none of the web, or of this UI.

    Args:
        cell: whether it stands in a table.
    """
    words = literal(text, cell=cell)
    if not words or not _ADDRESS.fullmatch(url):
        return words
    return f"[{words}](<{url.replace('|', '%7C')}>)"


def quoted_line(text: str, width: int = WIDTH) -> str:
    """The text as one line, from its beginning, and at most so many characters of it."""
    line = " ".join(text[: 8 * width].split())
    return line if len(line) <= width and len(text) <= 8 * width else f"{line[: width - 1]}…"


def quoted_end(text: str, lines: int = LINES, width: int = WIDTH) -> str:
    """The last lines that say anything, each at most so wide."""
    said = [line.rstrip() for line in text.splitlines() if line.strip()][-lines:]
    return "\n".join(line if len(line) <= width else f"{line[: width - 1]}…" for line in said)
