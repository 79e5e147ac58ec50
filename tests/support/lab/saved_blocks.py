"""Blocks that are saved for as long as a test needs them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def saved(**blocks: Any) -> Iterator[None]:
    """Blocks under these names (`_` stands for `-`), for as long as the context is open."""
    names = {name.replace("_", "-"): block for name, block in blocks.items()}
    for name, block in names.items():
        # A copy of a loaded block remembers its source, and that is what it would overwrite if the name were taken.
        forget(type(block), name)
        block.save(name)
    try:
        yield
    finally:
        for name, block in names.items():
            forget(type(block), name)


def forget(kind: Any, name: str) -> None:
    """Delete a saved block, if there is one."""
    try:
        kind.delete(name)
    except ValueError:
        return
