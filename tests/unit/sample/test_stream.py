"""Long answers: a wait, and an event stream of a service that runs as its container runs it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import httpx2
import pytest

from tests.support.sample_in_process import COMPOSE_DIR, client, spans_of

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def start():
    """Start a gateway as its image does: (process, address)."""
    started = []

    def begin():
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        env = os.environ | {
            "MODULE": "gateway_mcp",
            "PORT": str(port),
            "LANGFUSE_HOST": "",
            "PYTHONPATH": str(COMPOSE_DIR),
        }
        argv = [sys.executable, "-m", "agents.common.serve"]
        started.append(process := subprocess.Popen(argv, env=env, stderr=subprocess.PIPE, text=True))
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: httpx2.get(f"{address}/health").status_code == 200)
        return process, address

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def wait_until(true, seconds=20):
    deadline = time.monotonic() + seconds
    while True:
        try:
            if true():
                return
        except httpx2.TransportError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.05)


def events(response):
    """Each event of the stream as it comes: (event, id, data)."""
    lines = response.iter_lines()
    for line in lines:
        if line.startswith("event:"):
            told = dict(each.split(": ", 1) for each in (line, next(lines), next(lines)))
            yield told["event"], told["id"], json.loads(told["data"])


@pytest.mark.parametrize("ended_by", [signal.SIGTERM, signal.SIGINT])
def test_a_stream_ticks_each_second_and_ends_whole_with_the_service(start, ended_by):
    process, address = start()
    with httpx2.stream("GET", f"{address}/api/events", timeout=10) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        ticking = events(response)
        begun = time.monotonic()
        assert [next(ticking) for _ in range(3)] == [("tick", str(n), {"tick": n}) for n in (1, 2, 3)]
        assert 1.8 < time.monotonic() - begun < 4
        process.send_signal(ended_by)
        asked = time.monotonic()
        assert list(ticking) == []  # a stream that was cut raises here
    process.wait(timeout=10)
    assert time.monotonic() - asked < 1.5  # less than the server's patience with requests in flight
    assert "timeout graceful shutdown exceeded" not in process.stderr.read()


def test_a_client_that_leaves_ends_its_stream_and_its_length_is_no_slowness(start):
    _, address = start()
    with httpx2.stream("GET", f"{address}/api/events", timeout=10) as response:
        ticking = events(response)
        assert [next(ticking)[1], next(ticking)[1]] == ["1", "2"]
    counted = 'http_requests_total{method="GET",path="/api/events",status="200"} 1.0'
    wait_until(lambda: counted in httpx2.get(f"{address}/metrics").text, seconds=3)
    shown = httpx2.get(f"{address}/metrics").text
    (seconds,) = re.findall(r'_duration_seconds_sum{method="GET",path="/api/events"} (.*)', shown)
    assert float(seconds) < 0.5


def test_a_wait_takes_as_long_as_it_was_asked_to():
    with client("gateway-mcp") as http:
        begun = time.monotonic()
        assert http.get("/api/wait", params={"seconds": 1}).json() == {"waited": 1, "release": "dev"}
        assert 1 <= time.monotonic() - begun < 3
        assert http.get("/api/wait", params={"seconds": 31}).status_code == 422


def test_waiting_is_no_work_and_makes_no_span():
    with spans_of("gateway-mcp") as spans, client("gateway-mcp") as http:
        assert http.get("/api/wait?seconds=0").status_code == 200
        assert spans.get_finished_spans() == ()
