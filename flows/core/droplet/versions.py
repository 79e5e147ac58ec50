"""Versions of Docker Engine and Compose, to be compared."""


def version(text: str) -> tuple[int, ...]:
    """`v2.26.1-4` → (2, 26); anything unreadable → (0, 0)."""
    parts = text.lstrip("v").split("-")[0].split("+")[0].split(".")
    return tuple(int(part) if part.isdecimal() else 0 for part in (*parts, "0")[:2])
