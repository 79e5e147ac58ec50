"""`python -m flows.worker …`: Prefect's `worker start …`, which finds our type also where we are not installed."""

import signal
import sys

from prefect.cli import app as prefect_command

import flows.worker.fork_worker  # noqa: F401 — Prefect knows a type as soon as its class is there

if __name__ == "__main__":
    # A shell starts what it puts into the background deaf to Ctrl-C, and Prefect ends a worker by sending it one.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["prefect", "worker", "start", *sys.argv[1:]]
    prefect_command()
