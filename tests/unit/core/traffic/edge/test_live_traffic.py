"""What is under way at a real Caddy: it goes on through a turn, a reload and an upgrade, and nothing is sent twice."""

import contextlib
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from flows.core.traffic.edge.site import EdgeRoute, Site
from tests.support import PATIENCE, wait_until
from tests.support.edge.real_caddy import HOST, RealCaddy, caddy_version, colour_server, free_port, needs_caddy

pytestmark = [pytest.mark.unit, needs_caddy]


@pytest.fixture
def colours():
    with colour_server("green") as green, colour_server("blue") as blue:
        yield {"green": green, "blue": blue}


@pytest.fixture
def edge(tmp_path, colours):
    caddy = RealCaddy(tmp_path)
    put(caddy, "/", {name: (colour.port,) for name, colour in colours.items()})
    caddy.turn("shop", "green")
    with caddy:
        yield caddy


def put(caddy, path, ports):
    caddy.put(Site("shop", {HOST: (EdgeRoute(path, ports),)}))


@contextlib.contextmanager
def upgraded(edge):
    """A connection that has become a websocket's, to the active colour."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    asks = f"GET /socket HTTP/1.1\r\nHost: {HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    with (
        socket.create_connection(("127.0.0.1", edge.https), PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as stream,
    ):
        stream.sendall(asks.encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += stream.recv(4096)
        assert head.startswith(b"HTTP/1.1 101 ")
        yield stream


def says(stream, word):
    stream.sendall(word)
    return stream.recv(100)


@pytest.mark.parametrize("kind", ["text/event-stream", "application/json", "text/plain"])
def test_a_stream_is_passed_on_piece_by_piece_and_ends_where_it_began(edge, colours, kind):
    with edge.client() as client, edge.stream(client, f"/stream?type={kind}", **{"Accept-Encoding": "gzip"}) as answer:
        pieces = answer.iter_bytes()
        assert next(pieces) == b"data: one\n\n"
        edge.turn("shop", "blue")
        assert edge.get("/").text == "blue"
        colours["green"].go_on.set()
        assert b"".join(pieces) == b"data: two\n\n"
    assert answer.headers["X-Slipway-Colour"] == "green"


def test_a_websocket_is_let_through_and_stays_where_it_began(edge):
    with upgraded(edge) as stream:
        assert says(stream, b"a") == b"green:a"
        edge.turn("shop", "blue")
        assert says(stream, b"b") == b"green:b"
        with upgraded(edge) as other:
            assert says(other, b"c") == b"blue:c"


def test_requests_and_streams_under_way_outlive_a_reload(edge, colours):
    with ThreadPoolExecutor() as pool, edge.client() as client, edge.stream(client, "/stream") as answer:
        pieces = answer.iter_bytes()
        assert next(pieces) == b"data: one\n\n"
        slow = pool.submit(edge.get, "/slow", method="POST", content=b"body")
        wait_until(lambda: [one for one in colours["green"].asked if one[1] == "/slow"])
        put(edge, "/new", {"green": (colours["green"].port,)})
        edge.reload()
        assert [edge.get(path).status_code for path in ("/", "/new/x")] == [404, 200]
        colours["green"].go_on.set()
        assert b"".join(pieces) == b"data: two\n\n"
        assert slow.result(PATIENCE).content == b"body"


@pytest.mark.skipif(caddy_version() < (2, 7, 0), reason="Caddy before 2.7 ends websockets when it is told something")
def test_a_websocket_outlives_a_reload(edge, colours):
    with upgraded(edge) as stream:
        put(edge, "/new", {"green": (colours["green"].port,)})
        edge.reload()
        assert edge.get("/").status_code == 404
        assert says(stream, b"a") == b"green:a"


def test_a_second_edge_at_the_same_ports_takes_over_while_the_first_ends_what_it_began(edge, colours):
    """An upgrade: the new container serves before the old one is told to end."""
    [first] = edge._running
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(edge.get, "/slow", method="POST", content=b"body")
        wait_until(lambda: [one for one in colours["green"].asked if one[1] == "/slow"])
        edge.put_settings()
        edge.start()
        first.terminate()
        assert [edge.get("/").text for _ in range(20)] == ["green"] * 20
        assert first.poll() is None
        colours["green"].go_on.set()
        assert slow.result(PATIENCE).content == b"body"
    first.wait(PATIENCE)
    assert edge.get("/").text == "green"


def test_turns_under_load_lose_nothing(edge):
    seen, over = [], threading.Event()

    def ask():
        with edge.client() as client:
            for number in range(100):
                try:
                    answer = edge.send(client, f"/{number}", method="POST", content=b"x")
                    seen.append((answer.status_code, answer.headers["X-Slipway-Colour"]))
                except httpx.TransportError as error:
                    seen.append((repr(error), ""))

    def turn():
        while not over.is_set():
            for colour in ("blue", "green"):
                edge.turn("shop", colour)
                edge.get("/")

    turning, asking = threading.Thread(target=turn), [threading.Thread(target=ask) for _ in range(3)]
    for thread in (turning, *asking):
        thread.start()
    for thread in asking:
        thread.join(PATIENCE)
    over.set()
    turning.join(PATIENCE)
    assert len(seen) == 300
    assert set(seen) == {(200, "green"), (200, "blue")}


def refused_connections():
    """How many connections of this machine were refused so far, as the kernel counts them (RFC 4022, AttemptFails)."""
    rows = [line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Tcp:")]
    return int(rows[1][rows[0].index("AttemptFails")])


@pytest.fixture
def gone(edge):
    """The port of a service that is not there."""
    port = free_port()
    put(edge, "/", {"green": (port,)})
    edge.reload()
    return port


def test_a_service_that_restarts_is_waited_for_and_is_asked_once(edge, gone):
    with ThreadPoolExecutor() as pool:
        before = refused_connections()
        waiting = pool.submit(edge.get, "/a")
        wait_until(lambda: refused_connections() > before)
        with colour_server("green", gone) as late:
            assert waiting.result(PATIENCE).text == "green"
            assert [one[:2] for one in late.asked] == [("GET", "/a")]


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_request_with_a_body_that_meets_no_service_is_told_so_and_never_sent_in_part(edge, gone, method):
    with ThreadPoolExecutor() as pool:
        before = refused_connections()
        told = pool.submit(edge.get, "/a", method=method, content=b"body")
        wait_until(lambda: refused_connections() > before)
        with colour_server("green", gone) as late:
            assert told.result(PATIENCE).status_code == 502
            assert edge.get("/b").text == "green"
            assert [one[1] for one in late.asked] == ["/b"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_a_service_has_taken_is_not_sent_again(edge, colours, method):
    assert edge.get("/drop", method=method).status_code == 502
    assert [one[0] for one in colours["green"].asked] == [method]


def test_of_several_replicas_one_that_refuses_costs_nothing(edge, colours):
    put(edge, "/", {"green": (free_port(), colours["green"].port)})
    edge.reload()
    assert [edge.get("/").status_code for _ in range(8)] == [200] * 8


def test_an_edge_that_died_comes_back_where_it_was(edge):
    edge.turn("shop", "blue")
    [first] = edge._running
    first.kill()
    first.wait(PATIENCE)
    edge.start()
    assert edge.get("/").text == "blue"
