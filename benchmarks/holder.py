"""A process that holds the droplet's lock until it is ended: `python -m benchmarks.holder idle|working`.

It prints where its connection comes from, as the droplet's sshd says it, once it has the lock.
"""

import signal
import sys

import benchmarks  # noqa: F401 — sets what Prefect reads when it is imported
from benchmarks.lab import NAME
from flows.tasks.droplet.lock import locked
from flows.tasks.runs.blocks import load_droplet

_LONG = 600.0


def main(how: str) -> None:
    droplet = load_droplet(NAME)
    with droplet.session() as session, locked(session, droplet.directory, "a holder that is ended") as lock:
        print(lock.run("echo $SSH_CONNECTION", timeout=_LONG).out, end="", flush=True)
        if how == "working":
            lock.run(["sleep", str(int(_LONG))], timeout=_LONG)
        signal.pause()


if __name__ == "__main__":
    main(sys.argv[1])
