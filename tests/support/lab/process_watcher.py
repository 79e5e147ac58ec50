"""Watches, for as long as something runs, what anybody could see of it from outside: the arguments of processes."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.lab.droplet_view import DropletView
from tests.support.lab.lab import LAB

_EVERY = 0.02


@dataclass
class Seen:
    """Command lines seen on this host, and on the droplet, with what stood in its lock's file."""

    here: set[bytes] = field(default_factory=set)
    there: set[bytes] = field(default_factory=set)


@contextmanager
def watched(droplet: DropletView) -> Iterator[Seen]:
    """Look at both ends again and again while the context is open."""
    seen, over = Seen(), threading.Event()
    # It ends with its standard input, so that none is left on the droplet whatever happens here.
    look = f"ps -ww -eo args; cat {droplet.directory}/lock.holder 2>/dev/null"
    script = f"while read -rt {_EVERY} _ || [ $? -gt 128 ]; do {look}; done"
    argv = ["docker", "exec", "-i", f"{LAB}-{droplet.droplet}", "bash", "-c", script]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as far:
        assert far.stdin is not None
        assert far.stdout is not None
        threads = [
            threading.Thread(target=_look_here, args=(seen.here, over)),
            threading.Thread(target=seen.there.update, args=(far.stdout,)),
        ]
        for thread in threads:
            thread.start()
        try:
            yield seen
        finally:
            over.set()
            far.stdin.close()
            for thread in threads:
                thread.join()


def _look_here(seen: set[bytes], over: threading.Event) -> None:
    while not over.wait(_EVERY):
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen.add(path.read_bytes().replace(b"\0", b" "))
            except OSError:
                continue  # it has ended meanwhile
