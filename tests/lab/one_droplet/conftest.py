"""A droplet of one's own with an edge on it, and the stack that nobody prepared, released to it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.faults.harness.doubles.disposable_droplet import open_disposable_droplet
from tests.lab.one_droplet.unprepared import DROPLET, NAME, Bazaar, open_bazaar
from tests.support.lab.lab import STATE


@pytest.fixture(scope="module")
def bazaar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bazaar]:
    """The stack's checkout and blocks; nothing of it is on the droplet yet."""
    with ExitStack() as closing:
        sockets = closing.enter_context(TemporaryDirectory(prefix="slipway-"))
        machine = closing.enter_context(open_disposable_droplet(DROPLET, STATE, Path(sockets)))
        yield closing.enter_context(open_bazaar(tmp_path_factory.mktemp(NAME), machine))
