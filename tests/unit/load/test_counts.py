"""A load counts exactly what its clients met: each fault of the edge once, and nothing else."""

import asyncio
import io

import pytest

from benchmarks.load.drive import drive
from benchmarks.load.plan import Plan
from benchmarks.load.request import Kind, Outcome, read_line
from benchmarks.load.result import Result
from benchmarks.load.writes import settle
from tests.support import PATIENCE
from tests.support.edge.fake_edge import Edge, edge_on_loopback

pytestmark = pytest.mark.unit

# Little enough for a machine that is busy with other things: what is late must not look like what has failed.
BRIEF = {
    "rate": 250, "seconds": PATIENCE, "long": 1, "wait": 0.03, "pace": 0.03, "patience": PATIENCE,
    "long_patience": PATIENCE,
}  # fmt: skip
EACH = {
    "GET /health keep-alive": 3,
    "GET /health close": 3,
    "GET /api/wait keep-alive": 2,
    "POST /api/tasks keep-alive": 2,
    "POST /mcp keep-alive": 4,
}


@pytest.fixture
def edge():
    with edge_on_loopback() as edge:
        yield edge


def found(edge: Edge, asked: dict[str, int] | None = None, ticks: int = 3, **bounds) -> Result:
    """What a load finds there that ends when the edge was asked all, and all its faults were met."""
    plan, file = Plan(edge.url, **{**BRIEF, **bounds}), io.StringIO()

    async def end(stop: asyncio.Event) -> None:
        while not edge.has_met({**EACH, **(asked or {})}, ticks):
            await asyncio.sleep(0.01)
        stop.set()

    async def main() -> None:
        stop = asyncio.Event()
        await asyncio.wait_for(asyncio.gather(drive(plan, file, stop), end(stop)), 2 * PATIENCE)

    asyncio.run(main())
    requests = tuple(map(read_line, file.getvalue().splitlines()))
    return Result(requests, settle(plan, requests, patience=0.1))


def test_an_edge_that_answers_well_gives_a_clean_result(edge):
    result = found(edge)
    assert result.is_clean
    assert result.by_kind.keys() == set(Kind)
    assert all(r.outcome is Outcome.WELL and r.start <= r.end for r in result.requests)
    assert (result.failed, result.cut, result.re_established, result.wrong_writes) == (0, 0, 0, 0)
    assert result.line == f"{result.total:,} requests, 0 failed, 0 cut streams, 0 lost or doubled writes"
    assert len(result.acknowledged) == len(edge.tasks) == result.writes.acknowledged > 0
    assert result.ticks >= 3
    assert {r.colour for r in result.requests} == {"green"}


def test_a_short_request_goes_over_a_kept_connection_or_a_fresh_one(edge):
    result = found(edge)
    fresh = sum(asked == "GET /health close" for asked in edge.asked)
    assert fresh == result.by_kind[Kind.FRESH] > 1
    assert edge.connections - fresh < sum(result.by_kind.values()) - fresh
    assert result.by_kind[Kind.KEPT] > 1


FAULTS = {
    "GET /health": ("<html>", 502, "reset"),
    "GET /api/wait": ("reset",),
    "POST /api/tasks": (502,),
    "GET /api/events": (502,),
    "POST /mcp": (502,),
}
CLOSED = {"the connection was closed before the answer was whole", "the connection was reset"}


def test_every_failed_request_is_counted_once_with_its_reason(edge):
    for request, faults in FAULTS.items():
        edge.once(request, *faults)
    result = found(edge)
    errors = sorted("closed" if r.error in CLOSED else r.error for r in result.failures)
    assert errors == ["502 Bad Gateway"] * 4 + ["a wrong body: <html>", "closed", "closed"]
    assert sum(int(reason.split(" x ")[0]) for reason in result.reasons(9)) == result.failed == 7
    assert (result.cut, result.re_established, result.wrong_writes) == (0, 0, 0)
    assert not result.is_clean


def test_what_is_not_answered_in_time_has_failed(edge):
    edge.once("GET /health", "hang")
    edge.once("GET /api/wait", "hang")
    result = found(edge, rate=60, pace=0.2, patience=0.6, long_patience=0.7)
    # On a machine that is busy others are late, too.
    assert {r.error for r in result.failures} == {"no answer within 0.6 s", "no answer within 0.7 s"}


def test_a_stream_that_ends_before_it_is_told_to_is_cut_and_opened_anew(edge):
    edge.once("GET /api/events", 2, 1)
    result = found(edge, ticks=5)
    streams = [r for r in result.requests if r.kind is Kind.STREAM]
    assert [(r.outcome, r.ticks) for r in streams[:2]] == [(Outcome.CUT, 2), (Outcome.CUT, 1)]
    assert [r.outcome for r in streams[2:]] == [Outcome.WELL]
    assert (result.cut, result.failed, result.is_clean) == (2, 0, False)
    assert result.ticks == sum(r.ticks for r in streams) > 3


def test_streams_that_may_end_are_counted_apart(edge):
    edge.once("GET /api/events", 2, 1)
    result = found(edge, ticks=5, streams_end=True)
    assert (result.ended, result.cut, result.is_clean) == (2, 0, True)
    assert result.line.endswith("0 lost or doubled writes, 2 streams ended in order")


def test_a_stream_that_falls_silent_is_cut(edge):
    edge.once("GET /api/events", "silent")
    result = found(edge, {"GET /api/events keep-alive": 2}, rate=60, pace=0.1, patience=0.4)
    first = next(r for r in result.requests if r.kind is Kind.STREAM)
    assert (first.error, first.ticks <= 1) == ("no answer within 0.4 s", True)
    assert (first.outcome is Outcome.CUT) == (first.status == 200)  # on a machine that is busy not even that may come


def test_a_session_that_the_server_forgot_is_opened_anew_and_is_no_failure(edge):
    edge.once("POST /mcp", None, None, None, None, "forget")
    result = found(edge, {"notifications/initialized": 2})
    sessions = [r for r in result.requests if r.kind is Kind.SESSION]
    assert (result.re_established, result.failed, result.is_clean) == (1, 0, True)
    assert [r.status for r in sessions].count(404) == 1
    assert [r.status for r in sessions].count(202) == 2
    assert edge.sessions == set()  # it closes the one that it has at its end
    assert result.line.endswith(", 1 sessions re-established")


def test_a_write_that_was_acknowledged_and_is_not_there_is_lost(edge):
    edge.once("POST /api/tasks", "lose", "lose")
    result = found(edge)
    assert (result.writes.lost, result.writes.doubled, result.failed) == (2, 0, 0)
    assert not result.is_clean


def test_a_write_that_was_stored_though_it_failed_hides_no_lost_one(edge):
    edge.once("POST /api/tasks", "lose", "keep", "keep")
    result = found(edge)
    assert (result.writes.lost, result.failed) == (1, 2)


def test_a_write_that_had_come_before_is_doubled(edge):
    edge.once("POST /api/tasks", "again")
    result = found(edge)
    assert (result.writes.lost, result.writes.doubled, result.failed) == (0, 1, 0)
    assert not result.is_clean


def test_writes_that_cannot_be_counted_are_unknown_and_not_none(edge):
    edge.once("GET /api/tasks", *[502] * 9)
    result = found(edge)
    assert result.wrong_writes is None
    assert not result.is_clean
    assert "unknown lost or doubled writes" in result.line
