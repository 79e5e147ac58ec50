"""The benchmark of one droplet: how it reads memory, what a row says, and what Kamal is told."""

import pytest

from benchmarks.droplet.kamal import deploy_file
from benchmarks.droplet.machine import memory
from benchmarks.droplet.plain import STATELESS, Plain
from benchmarks.droplet.releases import COLUMNS, Releases, longest_gap
from benchmarks.load.request import Kind, Outcome, Request
from benchmarks.load.result import Result
from benchmarks.load.writes import Writes

pytestmark = pytest.mark.unit

STATS = """\
agents-green-gateway-mcp-1 40.5MiB / 23.5GiB
slipway-edge-caddy-1 512KiB / 23.5GiB
plain-cicd-1 1GiB / 23.5GiB
agents-blue-cicd-1 0B / 0B
agents-blue-gone-1 -- / --
"""


def result(*requests: Request) -> Result:
    return Result(requests, Writes(acknowledged=0, lost=0, doubled=0))


def request(end: float, kind: Kind = Kind.FRESH, outcome: Outcome = Outcome.WELL, **said) -> Request:
    return Request(kind, end - 0.01, end, outcome, **said)


def test_memory_is_the_sum_over_the_containers_of_a_way_alone():
    assert memory(STATS, ("agents-", "slipway-edge-")) == int(40.5 * 1024**2) + 512 * 1024
    assert memory(STATS, ("plain-", "kamal-proxy")) == 1024**3
    assert memory("", ("plain-",)) == 0


def test_the_longest_gap_is_between_short_requests_that_were_answered_well():
    met = [request(1.0), request(2.0, outcome=Outcome.FAILED), request(2.5, kind=Kind.LONG), request(4.0), request(4.5)]
    assert longest_gap(result(*met)) == 3.0
    assert longest_gap(result()) == 0.0


def test_a_row_has_a_cell_for_every_column():
    way = Releases("a way", result(request(1.0), request(1.5)), [4.0, 8.0], [300_000_000, 500_000_000, 280_000_000])
    assert way.row() == ("a way", "2", "6.0 s", "2", "0", "0", "0", "0.50 s", "300 MB / 500 MB / 280 MB")
    assert len(way.row()) == len(COLUMNS)
    assert way.notes() == []


def test_what_failed_is_told_with_its_reason():
    way = Releases("a way", result(request(1.0, outcome=Outcome.FAILED, error="502 Bad Gateway")), [4.0])
    assert way.notes() == ["a way, what failed or was cut: 1 x 502 Bad Gateway (short, fresh connection)."]
    assert way.row()[-1] == ""


def test_kamal_deploys_the_gateway_and_leaves_the_rest_alone():
    told = deploy_file(Plain("registry.example.com:5000/agents", "v1"), "somebody", 2222)
    assert told["image"] == "agents/kamal-gateway"
    assert told["servers"]["web"]["hosts"] == ["127.0.0.1"]
    assert told["ssh"]["port"] == 2222
    assert set(told["accessories"]) == {*STATELESS, "rag-context", "state-persistence"} - {"gateway-mcp"}
    assert told["accessories"]["state-persistence"]["volumes"] == ["plain-state-persistence:/data"]
    assert told["registry"]["password"] == ["KAMAL_REGISTRY_PASSWORD"]
