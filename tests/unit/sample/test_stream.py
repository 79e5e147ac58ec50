"""Long answers: a wait, and an event stream of a service that runs as its container runs it."""

import asyncio
import importlib
import json
import os
import re
import signal
import subprocess
import sys
from types import SimpleNamespace

import httpx2
import pytest

from tests.support import wait_until
from tests.support.sample_in_process import COMPOSE_DIR, client, module, spans_of

pytestmark = pytest.mark.unit
LISTENS = re.compile(r"running on (http://127\.0\.0\.1:\d+)")
PATIENCE = 60


@pytest.fixture
def start():
    """Start a gateway as its image does, on a port that is free: (process, address)."""
    started = []

    def begin():
        env = {**os.environ, "MODULE": "gateway_mcp", "PORT": "0", "LANGFUSE_HOST": "", "PYTHONPATH": str(COMPOSE_DIR)}
        argv = [sys.executable, "-m", "agents.common.serve"]
        started.append(process := subprocess.Popen(argv, env=env, stderr=subprocess.PIPE, text=True))
        said = ""
        for line in process.stderr:
            said += line
            if found := LISTENS.search(line):
                return process, found[1]
        raise AssertionError(said)

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def events(response):
    """Each event of the stream as it comes: (event, id, data)."""
    lines = response.iter_lines()
    for line in lines:
        if line.startswith("event:"):
            told = dict(each.split(": ", 1) for each in (line, next(lines), next(lines)))
            yield told["event"], told["id"], json.loads(told["data"])


@pytest.mark.parametrize("ended_by", [signal.SIGTERM, signal.SIGINT])
def test_a_stream_ticks_and_ends_whole_with_the_service(start, ended_by):
    process, address = start()
    with httpx2.stream("GET", f"{address}/api/events", timeout=PATIENCE) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        ticking = events(response)
        assert [next(ticking) for _ in range(2)] == [("tick", str(n), {"tick": n}) for n in (1, 2)]
        process.send_signal(ended_by)
        assert [event for event, *_ in ticking if event != "tick"] == []  # a stream that was cut raises here
    process.wait(PATIENCE)
    # It was ended by the service, and not by the server's patience with requests in flight.
    assert "timeout graceful shutdown exceeded" not in process.stderr.read()


def test_a_tick_comes_now_and_each_second_until_the_service_ends(monkeypatch):
    ending, waits = asyncio.Event(), []

    async def wait_for(waiting, seconds):
        waiting.close()
        waits.append(seconds)
        ending.set() if len(waits) == 3 else None
        raise TimeoutError

    async def read():
        stream = module("gateway-mcp").ticks(ending).body_iterator
        return [event.splitlines()[1] async for event in stream]

    monkeypatch.setattr(asyncio, "wait_for", wait_for)
    assert (asyncio.run(read()), waits) == (["id: 1", "id: 2", "id: 3"], [1.0, 1.0, 1.0])


def test_a_client_that_leaves_ends_its_stream(start):
    _, address = start()
    with httpx2.stream("GET", f"{address}/api/events", timeout=PATIENCE) as response:
        ticking = events(response)
        assert [next(ticking)[1], next(ticking)[1]] == ["1", "2"]
    counted = 'http_requests_total{method="GET",path="/api/events",status="200"} 1.0'
    assert wait_until(lambda: counted in httpx2.get(f"{address}/metrics", timeout=PATIENCE).text)


def test_the_length_of_a_stream_is_no_slowness(monkeypatch):
    metrics = importlib.import_module("agents.common.metrics")
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(metrics.time, "perf_counter", lambda: clock.now)
    kept = metrics.Metrics()

    async def stream(_scope, _receive, send):
        clock.now += 0.5
        await send({"type": "http.response.start", "status": 200})
        clock.now += 3600

    async def send(_message):
        pass

    scope = {"type": "http", "method": "GET", "route": SimpleNamespace(path="/api/events")}
    asyncio.run(metrics.MetricsMiddleware(stream, kept)(scope, None, send))
    labels = {"method": "GET", "path": "/api/events"}
    assert kept.registry.get_sample_value("http_request_duration_seconds_sum", labels) == 0.5


def test_a_wait_takes_as_long_as_it_was_asked_to(monkeypatch):
    slept, real = [], asyncio.sleep

    async def sleep(seconds):
        slept.append(seconds)
        await real(0)

    with client("gateway-mcp") as http:
        monkeypatch.setattr(module("gateway-mcp").asyncio, "sleep", sleep)
        assert http.get("/api/wait", params={"seconds": 7}).json() == {"waited": 7, "release": "dev"}
        assert http.get("/api/wait", params={"seconds": 31}).status_code == 422
        monkeypatch.undo()
    assert 7 in slept
    assert 31 not in slept


def test_waiting_is_no_work_and_makes_no_span():
    with spans_of("gateway-mcp") as spans, client("gateway-mcp") as http:
        assert http.get("/api/wait?seconds=0").status_code == 200
        assert spans.get_finished_spans() == ()
