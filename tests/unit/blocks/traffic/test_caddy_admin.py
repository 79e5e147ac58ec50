"""Caddy's admin API, spoken to a server that answers as Caddy does: in chunks, with the Etag after them."""

import hashlib
import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from blocks import CaddySwitch, Droplet
from blocks.errors import SwitchFailed, SwitchMoved, Unreachable
from blocks.traffic.caddy_admin import CaddyAdmin
from blocks.traffic.state import SwitchState
from tests.support import PATIENCE

pytestmark = pytest.mark.unit

PATH = "/id/edge/upstreams"
UPSTREAMS = {"green": ["g2:1", "g1:1"], "blue": ["b:1"]}
GREEN, BLUE = [{"dial": "g1:1"}, {"dial": "g2:1"}], [{"dial": "b:1"}]


class Caddy(BaseHTTPRequestHandler):
    """Keeps the upstreams; refuses a change that was decided on others. `says` replaces one status."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_words) -> None:
        """Nothing on the terminal."""

    def do_GET(self) -> None:
        self.answer(200, json.dumps(self.server.upstreams).encode(), self.etag())

    def do_PATCH(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["If-Match"] not in (None, self.etag()):
            self.answer(412, b'{"error": "precondition failed"}')
            return
        self.server.upstreams = json.loads(body)
        self.answer(200, b"")

    def etag(self) -> str:
        return f'"{self.path} {hashlib.sha256(json.dumps(self.server.upstreams).encode()).hexdigest()[:8]}"'

    def answer(self, status: int, body: bytes, etag: str = "") -> None:
        self.server.asked.append((self.command, self.path, self.headers["Host"], self.headers["If-Match"]))
        status, body = self.server.says.pop(self.command, (status, body))
        self.send_response(status)
        self.send_header("Transfer-Encoding", "chunked")
        if etag:
            self.send_header("Trailer", "Etag")
        self.end_headers()
        for chunk in (body[:5], body[5:]):
            self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n" if chunk else b"")
        self.wfile.write(b"0\r\n" + (f"Etag: {etag}\r\n".encode() if etag else b"") + b"\r\n")


class Session:
    """Opens sockets to one port of this machine, whatever is asked for."""

    def __init__(self, port: int) -> None:
        self.port, self.alive, self.opened = port, True, []

    def open_socket(self, host: str, port: int) -> socket.socket:
        self.opened.append((host, port))
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)


@contextmanager
def caddy(upstreams=GREEN, **says):
    with ThreadingHTTPServer(("127.0.0.1", 0), Caddy) as server:
        server.daemon_threads = True
        server.asked, server.upstreams, server.says = [], upstreams, says
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        server.session = Session(server.server_port)
        try:
            yield server, CaddyAdmin(server.session, "localhost:2019", "edge", UPSTREAMS, "switch edge")
        finally:
            server.shutdown()


@pytest.mark.parametrize(
    ("upstreams", "active"),
    [
        (GREEN, ("green",)),
        (GREEN[:1], ("green",)),
        (BLUE, ("blue",)),
        (GREEN + BLUE, ("green", "blue")),
        ([{"dial": "other:1"}], ()),
        ([], ()),
    ],
)
def test_the_active_colour_is_the_one_whose_upstreams_are_there(upstreams, active):
    with caddy(upstreams) as (server, admin):
        assert admin.read().active == active
        assert server.asked == [("GET", PATH, "localhost:2019", None)]
        assert server.session.opened == [("localhost", 2019)]


def test_the_etag_behind_the_answer_is_the_mark_of_a_position():
    with caddy() as (server, admin):
        mark = admin.read().mark
        assert mark.startswith(f'"{PATH} ')
        assert admin.read().mark == mark
        server.upstreams = BLUE
        assert admin.read().mark != mark


def test_a_turn_replaces_the_upstreams_of_what_was_seen():
    with caddy() as (server, admin):
        seen = admin.read()
        assert admin.switch_to("blue", seen).active == ("blue",)
        assert server.upstreams == BLUE
        assert server.asked[1] == ("PATCH", PATH, "localhost:2019", seen.mark)
        assert admin.switch_to("green", admin.read()).active == ("green",)
        assert server.upstreams == GREEN


def test_a_switch_that_is_there_already_is_not_changed():
    with caddy(BLUE) as (server, admin):
        assert admin.switch_to("blue", admin.read()).active == ("blue",)
        assert {method for method, *_ in server.asked} == {"GET"}


def test_what_another_changed_is_left_as_it_is():
    with caddy() as (server, admin):
        seen = admin.read()
        server.upstreams = [{"dial": "other:1"}]
        with pytest.raises(SwitchMoved, match="switch edge was changed by somebody else"):
            admin.switch_to("blue", seen)
        assert server.upstreams == [{"dial": "other:1"}]


def test_a_turn_that_is_sent_again_finds_that_it_was_made():
    with caddy() as (server, admin):
        seen = admin.read()
        first = admin.switch_to("blue", seen)
        assert admin.switch_to("blue", seen) == first
        assert server.upstreams == BLUE


@pytest.mark.parametrize(
    "said", [(404, b'{"error": "unknown object ID"}'), (200, b"<html>"), (200, b"null"), (200, b'[{"x": 1}]')]
)
def test_an_answer_that_is_none_is_told(said):
    with caddy(GET=said) as (_server, admin), pytest.raises(SwitchFailed) as error:
        admin.read()
    assert str(error.value) == f"switch edge: GET {PATH}: {said[0]} {said[1].decode()}"


def test_a_change_that_caddy_refuses_is_told():
    refused = pytest.raises(SwitchFailed, match=r"PATCH /id/edge/upstreams: 500 no such module")
    with caddy(PATCH=(500, b"no such module")) as (_server, admin), refused:
        admin.switch_to("blue", admin.read())


def test_an_api_that_does_not_listen_is_unreachable():
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        admin = CaddyAdmin(Session(deaf.getsockname()[1]), "localhost:2019", "edge", UPSTREAMS, "switch edge")
        with pytest.raises(Unreachable, match=r"switch edge: GET /id/edge/upstreams: .*refused"):
            admin.read()


@pytest.mark.parametrize(
    "half", [b"", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", b"SSH-2.0-OpenSSH\r\n\r\n"]
)
def test_an_answer_that_breaks_off_is_unreachable(half):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        session = Session(listener.getsockname()[1])

        def answer() -> None:
            channel, _ = listener.accept()
            with channel:
                channel.recv(65536)
                channel.sendall(half)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(Unreachable, match=r"switch edge: GET /id/edge/upstreams: ."):
            CaddyAdmin(session, "localhost:2019", "edge", UPSTREAMS, "switch edge").read()
        thread.join()


def test_the_block_goes_that_way_when_it_is_told_to():
    host = Droplet(host="edge.example.com", private_key="k")
    with caddy() as (server, _admin):
        switch = CaddySwitch(url="http://edge", host=host, way="admin", admin_id="edge", upstreams=UPSTREAMS)
        switch._session = server.session
        seen = switch.read()
        assert switch.switch_to("blue", seen, "me").active == ("blue",)
        assert isinstance(seen, SwitchState)
        assert server.session.opened[0] == ("localhost", 2019)
