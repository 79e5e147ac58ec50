"""Versions of Docker Engine and Compose as numbers that can be compared."""

# What a droplet needs at least.
MINIMUM_COMPOSE = (2, 20)
MINIMUM_ENGINE = (20, 10)
_DIGITS = 10


def version(text: str) -> tuple[int, ...]:
    """The first three numbers of a version: `v2.26.1-4` → (2, 26, 1); unreadable → (0, 0, 0)."""
    parts = text.lstrip("v").split("-")[0].split("+")[0].split(".")
    return tuple(int(part) if part.isdecimal() and len(part) < _DIGITS else 0 for part in (*parts, "0", "0")[:3])


def is_older(text: str, needed: str) -> bool:
    """Whether a version is older than the one needed; an unreadable one (a build of one's own) is not known to be."""
    return version(text) != (0, 0, 0) and version(text) < version(needed)


def dotted(numbers: tuple[int, ...]) -> str:
    """A version as people write it: (2, 20) → `2.20`."""
    return ".".join(map(str, numbers))
