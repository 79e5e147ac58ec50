"""A flow that says where and how it runs, and then does what the test wants; a worker loads it from here."""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from prefect import flow


def _sign(place: str, hook: str) -> None:
    Path(place, hook).write_text(str(os.getpid()))


def _crashed(flow: Any, flow_run: Any, state: Any) -> None:
    _sign(flow_run.parameters["place"], "crashed")


def _cancelled(flow: Any, flow_run: Any, state: Any) -> None:
    _sign(flow_run.parameters["place"], "cancelled")


@flow(on_crashed=[_crashed], on_cancellation=[_cancelled])
def worker_probe(place: str, act: str = "") -> None:
    """Leave a note, and go on until there is a file `go`; or end as `act` says."""
    note = {"pid": os.getpid(), "cwd": str(Path.cwd()), "env": dict(os.environ), "session": os.getsid(0)}
    Path(place, "note.new").write_text(json.dumps({**note, "imported": "flows.release" in sys.modules}))
    Path(place, "note.new").rename(Path(place, "note"))
    print(f"said by {place}")
    if act in signal.Signals.__members__:
        os.kill(os.getpid(), signal.Signals[act])
    elif act:
        raise ValueError(act)
    Path(place, "held").touch()
    deadline = time.monotonic() + 120
    while not Path(place, "go").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
