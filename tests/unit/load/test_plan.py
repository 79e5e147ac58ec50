"""A load keeps to its plan: where it may go, how much it may ask, and that it never outlives who started it."""

import os
import subprocess
import sys
import time

import pytest

from benchmarks.load import Kind, Outcome, Plan, Request, Result, Writes, load
from tests import CHECKOUT
from tests.support import PATIENCE, wait_until
from tests.support.edge.fake_edge import edge_on_loopback

pytestmark = pytest.mark.unit

HOSTED = {"host": "a.test", "ca": "ca.crt"}
SHORT = {"rate": 200, "wait": 0.1, "pace": 0.05}


@pytest.mark.parametrize(
    "url", ["http://example.com", "http://10.0.0.7:8080", "ftp://127.0.0.1", "http://0.0.0.0:8080", "127.0.0.1:8080"]
)
def test_a_load_goes_to_this_machine_only(url):
    with pytest.raises(ValueError, match="goes to an address of this machine only"):
        Plan(url)


@pytest.mark.parametrize(("url", "more"), [("https://127.0.0.1", {"host": "a.test"}), ("http://127.0.0.1", HOSTED)])
def test_an_edge_with_a_certificate_is_asked_under_its_host(url, more):
    with pytest.raises(ValueError, match="under its host, with the file of its CA"):
        Plan(url, **more)
    assert Plan("https://127.0.0.1:8443", **HOSTED).host == "a.test"


@pytest.mark.parametrize("bound", [{"rate": 501}, {"rate": 0}, {"seconds": 3601}, {"requests": 500_001}])
def test_a_load_has_bounds(bound):
    with pytest.raises(ValueError, match="at most"):
        Plan("http://localhost:8080", **bound)


def test_a_load_of_its_own_process_runs_beside_the_work_and_ends_with_it():
    with edge_on_loopback() as edge:
        with load(edge.url, **SHORT) as running:
            assert running.wait(0, requests=30)
            edge.colour = "blue"
            moved = time.time()
            assert running.wait(0, requests=running.so_far + 60)  # more than were on their way
        result = running.result
    assert not running.runs
    assert result.is_clean
    assert len(result.acknowledged) == len(edge.tasks)
    latest = result.latest_start_answered_by("green", after=0)
    assert latest is not None
    assert latest <= moved
    assert result.latest_start_answered_by("blue", after=moved) is not None


def test_a_load_makes_no_more_requests_than_it_may():
    with edge_on_loopback() as edge, load(edge.url, requests=40, **SHORT) as running:
        wait_until(lambda: not running.runs)
    assert 30 < running.result.total <= 40


def test_the_command_says_its_result_in_one_line_and_ends_when_the_file_is_there(tmp_path):
    until = tmp_path / "until"
    with edge_on_loopback() as edge:
        edge.once("GET /health", 502)
        argv = [sys.executable, "-m", "benchmarks.load", "--url", edge.url, "--until-file", str(until)]
        with subprocess.Popen(argv, cwd=CHECKOUT, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as it:
            wait_until(lambda: len(edge.tasks) >= 3)
            until.touch()
            out, err = it.communicate(timeout=PATIENCE)
    assert out.decode().endswith(" requests, 1 failed, 0 cut streams, 0 lost or doubled writes\n")
    assert err.decode().strip().startswith("1 x 502 Bad Gateway (short, ")
    assert it.returncode == 1


def request(start: float, colour: str = "", release: str = "", kind: Kind = Kind.KEPT, well: bool = True) -> Request:
    outcome = Outcome.WELL if well else Outcome.FAILED
    return Request(kind, start, start + 0.1, outcome, 200, "" if well else "502", colour, release)


def test_the_last_request_that_the_old_side_answered_is_found_by_when_it_was_made():
    asked = [
        request(1, "green", "r1"), request(2, "blue", "r2"), request(3, "green", "r1"), request(4, "blue", "r2"),
        request(5, release="", well=False), request(6, "blue", "r2"), request(9, "green", "r1", Kind.LONG),
    ]  # fmt: skip
    result = Result(tuple(asked), Writes(0, 0, 0))
    assert result.latest_start_answered_by("green", after=0) == 9
    assert result.latest_start_answered_by("green", after=0, before=9) == 3
    assert result.latest_start_answered_by("green", after=3.5, before=9) is None
    assert result.latest_start_without("r2", after=0) == 5
    assert result.latest_start_without("r2", after=0, before=5) == 3
    assert result.latest_start_without("r2", after=5.5) is None


def test_a_load_that_asked_nothing_is_not_clean():
    assert not Result((), Writes(0, 0, 0)).is_clean
