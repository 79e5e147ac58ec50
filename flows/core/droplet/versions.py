"""Versions of Docker Engine and Compose as numbers that can be compared."""


def version(text: str) -> tuple[int, ...]:
    """The first two numbers of a version: `v2.26.1-4` → (2, 26); unreadable → (0, 0)."""
    parts = text.lstrip("v").split("-")[0].split("+")[0].split(".")
    return tuple(int(part) if part.isdecimal() else 0 for part in (*parts, "0")[:2])
