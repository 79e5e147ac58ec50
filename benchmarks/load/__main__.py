"""`python -m benchmarks.load --url URL`: put an edge of this machine under load, and say in one line what came of it.

It ends after --seconds, or as soon as --until-file is there. Exit code 1 when a request failed, a stream was cut, or a
write was lost or doubled.
"""

import argparse
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from benchmarks.command import BenchmarkFailed
from benchmarks.load import Result, load

_LOOKS_EVERY = 0.2
_CLEAN, _NOT_CLEAN, _REFUSED = 0, 1, 2


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--url", required=True, help="base address of the edge, on loopback")
    parser.add_argument("--seconds", type=float, default=60, help="ends after so long (default 60, at most 3600)")
    parser.add_argument("--until-file", type=Path, metavar="PATH", help="ends as soon as this file is there")
    parser.add_argument("--rate", type=float, default=120, help="requests a second in all (default 120)")
    parser.add_argument("--streams-end", action="store_true", help="streams that their server ends are no fault")
    parser.add_argument("--host", default="", help="the name that the edge serves, when --url is https")
    parser.add_argument("--ca", default="", metavar="FILE", help="who signed its certificate")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        result = _run(given)
    except ValueError as error:
        parser.error(str(error))
    except BenchmarkFailed as error:
        print(f"Error: {error}", file=sys.stderr)
        return _REFUSED
    print(result.line, flush=True)
    for reason in result.reasons():
        print(f"  {reason}", file=sys.stderr)
    return _CLEAN if result.is_clean else _NOT_CLEAN


def _run(given: argparse.Namespace) -> Result:
    served = {"streams_end": given.streams_end, "host": given.host, "ca": given.ca}
    with load(given.url, seconds=given.seconds, rate=given.rate, **served) as running:
        try:
            while running.runs and not (given.until_file and given.until_file.exists()):
                time.sleep(_LOOKS_EVERY)
        except KeyboardInterrupt:
            pass  # what it has found till now is told all the same
    return running.result


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
