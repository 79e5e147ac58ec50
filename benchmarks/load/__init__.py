"""A bounded load on one edge of this machine: several kinds of clients at once, none of which tries again."""

from benchmarks.load.plan import Plan
from benchmarks.load.request import Kind, Outcome, Request
from benchmarks.load.result import Result
from benchmarks.load.running import Running, load
from benchmarks.load.writes import Writes

__all__ = ["Kind", "Outcome", "Plan", "Request", "Result", "Running", "Writes", "load"]
