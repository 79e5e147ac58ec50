"""Probes of services, through a session that leads to servers of this machine."""

import socket
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from prefect.logging import disable_run_logger

from flows.settings import Settings
from flows.tasks.gates.probe_targets import ProbeTargets
from flows.tasks.gates.probes import probe_health, probe_mcp, probe_workflows
from tests.support.builders import container, stack
from tests.support.http_server import Says, serving

pytestmark = pytest.mark.unit

TOOLS = {"jsonrpc": "2.0", "id": 1, "result": {"tools": [{"name": "search"}]}}


@dataclass
class Loopback:
    """A session whose droplet is this machine: what has the address 172.18.0.N there is port N of `servers` here."""

    servers: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)

    def open_socket(self, host: str, port: int) -> socket.socket:
        self.asked.append((host, port))
        return socket.create_connection(("127.0.0.1", self.servers[host]))


def answer(asked) -> Says:
    if asked.path == "/mcp":
        return Says(200, TOOLS)
    return Says(200, {"status": "ok", "answer": "yes"})


@pytest.fixture
def droplet():
    """Makes probes of a stack of one service `web` whose containers are at these addresses, each with a server."""
    with ExitStack() as opened, disable_run_logger():

        def make(spec: dict, *addresses: str, answer=answer, states: tuple[str, ...] = ()):
            servers = {address: opened.enter_context(serving(answer)) for address in addresses if address}
            states = states or ("running",) * len(addresses)
            there = [
                container(id=f"id{n}", name=f"shop-web-{n}", address=address, state=state)
                for n, (address, state) in enumerate(zip(addresses, states, strict=True), 1)
            ]
            session = Loopback({address: server.server_port for address, server in servers.items()})
            settings = Settings(health_patience=0.0, probe_timeout=5.0)
            return ProbeTargets(stack({"web": spec}), there, session, settings), servers

        yield make


HEALTH = {"x-slipway": {"port": 8000, "health": "/health"}}
MCP = {"x-slipway": {"port": 8000, "mcp": "/mcp"}}
WORKFLOW = {"x-slipway": {"port": 8000, "workflow": {"post": "/ask", "expect": "answer"}}}
THREE = ("172.18.0.2", "172.18.0.3", "172.18.0.4")


@pytest.mark.parametrize(("spec", "probe"), [(HEALTH, probe_health), (MCP, probe_mcp)], ids=["health", "MCP"])
def test_every_replica_is_probed(droplet, spec, probe):
    probes, servers = droplet({**spec, "deploy": {"replicas": 3}}, *THREE)
    results = probe.fn(probes)
    assert [(result.name, result.service, result.passed) for result in results] == [
        (f"shop-web-{n}", "web", True) for n in (1, 2, 3)
    ]
    assert all(server.asked for server in servers.values())


def test_one_sick_replica_fails_by_its_name(droplet):
    probes, servers = droplet({**HEALTH, "deploy": {"replicas": 3}}, *THREE)
    servers["172.18.0.3"].answer = lambda _asked: Says(503, b"no")
    assert [(result.name, result.passed) for result in probe_health.fn(probes)] == [
        *(("shop-web-1", True), ("shop-web-2", False), ("shop-web-3", True))
    ]


def test_a_workflow_runs_on_one_replica(droplet):
    probes, servers = droplet({**WORKFLOW, "deploy": {"replicas": 3}}, *THREE)
    [result] = probe_workflows.fn(probes, None)
    assert result.passed
    assert sum(len(server.asked) for server in servers.values()) == 1


@pytest.mark.parametrize(("said", "host"), [({}, "localhost:8000"), ({"host": "shop.example.com"}, "shop.example.com")])
@pytest.mark.parametrize(
    ("spec", "probe"),
    [(HEALTH, probe_health), (MCP, probe_mcp), (WORKFLOW, lambda probes: probe_workflows.fn(probes, None))],
    ids=["health", "MCP", "workflow"],
)
def test_every_probe_names_a_host_that_the_service_takes(droplet, spec, probe, said, host):
    probes, servers = droplet({"x-slipway": {**spec["x-slipway"], **said}}, THREE[0])
    assert all(result.passed for result in getattr(probe, "fn", probe)(probes))
    assert {asked.headers["host"] for asked in servers[THREE[0]].asked} == {host}


@pytest.mark.parametrize(
    ("status", "words"),
    [(400, b"Invalid Host header: x"), (403, b"Blocked hosts: x"), (421, b"Misdirected Request")],
    ids=["Django", "Rails", "MCP"],
)
@pytest.mark.parametrize(
    ("spec", "probe"), [(HEALTH, probe_health.fn), (WORKFLOW, lambda probes: probe_workflows.fn(probes, None))]
)
def test_a_refused_host_is_told_with_the_field_that_names_another(droplet, spec, probe, status, words):
    probes, _ = droplet(spec, THREE[0], answer=lambda _asked: Says(status, words))
    [result] = probe(probes)
    assert result.detail.endswith("(asked as localhost:8000; to be asked as another: x-slipway.host)")


def test_a_failure_of_another_kind_says_nothing_of_hosts(droplet):
    probes, _ = droplet(HEALTH, THREE[0], answer=lambda _asked: Says(503, b"the database's host is away"))
    assert "x-slipway.host" not in probe_health.fn(probes)[0].detail


MISSING = {
    "nothing runs": ({}, (), (), ["not running"]),
    "it has ended": ({}, THREE[:1], ("exited",), ["not running"]),
    "two of three": ({"deploy": {"replicas": 3}}, THREE[:2], (), ["200 ok", "200 ok", "2 of 3 replicas run"]),
    "no address": (
        {"network_mode": "service:vpn"},
        ("",),
        (),
        ["runs without an address that could be asked (network_mode: service:vpn)"],
    ),
    "none is wanted": ({"deploy": {"replicas": 0}}, (), (), []),
}


@pytest.mark.parametrize(("spec", "addresses", "states", "said"), MISSING.values(), ids=MISSING)
def test_a_container_that_is_missing_is_a_failure_that_says_why(droplet, spec, addresses, states, said):
    probes, _ = droplet({**HEALTH, **spec}, *addresses, states=states)
    assert [result.detail for result in probe_health.fn(probes)] == said


@pytest.mark.parametrize("spec", [HEALTH, MCP, WORKFLOW])
def test_a_service_that_is_scaled_to_nothing_is_not_probed(droplet, spec):
    probes, _ = droplet({**spec, "scale": 0})
    assert [*probe_health.fn(probes), *probe_mcp.fn(probes), *probe_workflows.fn(probes, None)] == []


def test_a_service_is_probed_where_its_network_is(droplet):
    probes, servers = droplet({**HEALTH, "network_mode": "host"}, "127.0.0.1")
    assert probe_health.fn(probes)[0].passed
    assert probes.session.asked[0] == ("127.0.0.1", 8000)
    assert servers["127.0.0.1"].asked[0].path == "/health"
