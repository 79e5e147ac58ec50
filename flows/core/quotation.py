"""Words of others, cut so that an error stays readable: one line of a log may be megabytes long.

To be used on text whose secrets are masked: half a secret is known to no mask.
"""

WIDTH = 400
LINES = 20


def quoted_line(text: str, width: int = WIDTH) -> str:
    """The text as one line, from its beginning, and at most so many characters of it."""
    line = " ".join(text[: 8 * width].split())
    return line if len(line) <= width and len(text) <= 8 * width else f"{line[: width - 1]}…"


def quoted_end(text: str, lines: int = LINES, width: int = WIDTH) -> str:
    """The last lines that say anything, each at most so wide."""
    said = [line.rstrip() for line in text.splitlines() if line.strip()][-lines:]
    return "\n".join(line if len(line) <= width else f"{line[: width - 1]}…" for line in said)
