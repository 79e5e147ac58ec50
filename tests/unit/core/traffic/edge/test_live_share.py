"""A share of the clients at a real Caddy: by address, sticky, without a reload, and back to nothing at once."""

import http.client
import ssl
import threading

import pytest

from flows.core.traffic.edge.share import NO_SHARE, SHARE_PATH, share_number
from flows.core.traffic.edge.site import EdgeRoute, Site
from tests.support import PATIENCE
from tests.support.edge.real_caddy import HOST, RealCaddy, colour_server, needs_caddy

pytestmark = [pytest.mark.unit, needs_caddy]
# Loopback addresses of many networks.
CLIENTS = tuple(f"127.{n * 7 % 250}.{n * 13 % 251}.{n % 253 + 1}" for n in range(200))
INSIDE = next(one for one in CLIENTS if share_number(one) < 5)
LATER = next(one for one in CLIENTS if 5 <= share_number(one) < 50)
NEVER = next(one for one in CLIENTS if share_number(one) >= 50)


@pytest.fixture(scope="module")
def colours():
    with colour_server("green") as green, colour_server("blue") as blue:
        yield {"green": green, "blue": blue}


@pytest.fixture(scope="module")
def running(tmp_path_factory, colours):
    """An edge that serves one stack; a release has its own `/new` on green alone."""
    ports = {name: (colour.port,) for name, colour in colours.items()}
    caddy = RealCaddy(tmp_path_factory.mktemp("edge"))
    caddy.put(Site("shop", {HOST: (EdgeRoute("/", ports), EdgeRoute("/new", {"green": ports["green"]}))}))
    with caddy:
        yield caddy


@pytest.fixture
def edge(running):
    running.turn("shop", "blue")
    share(running)
    return running


def share(edge, *files):
    """Have these files of shares, and no other: the new one is there before the old one goes, as the switch does it."""
    state = edge.place / "state/shop"
    for name in files:
        (state / name).touch()
    for old in state.glob("canary-*"):
        if old.name not in files:
            old.unlink()


def context():
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    trusting.wrap_socket_plain = trusting.wrap_socket
    # The name that the edge has a certificate for, whatever the address is.
    trusting.wrap_socket = lambda plain, **_: trusting.wrap_socket_plain(plain, server_hostname=HOST)
    return trusting


def connection(edge, client):
    """A connection from an address of this machine."""
    return http.client.HTTPSConnection(
        "127.0.0.1", edge.https, timeout=PATIENCE, source_address=(client, 0), context=context()
    )


def ask(edge, client, path="/"):
    """The colour that answers a client, by its own word and by the edge's."""
    opened = connection(edge, client)
    try:
        opened.request("GET", path, headers={"Host": HOST})
        answer = opened.getresponse()
        return answer.read().decode(), answer.headers["X-Slipway-Colour"]
    finally:
        opened.close()


@pytest.mark.parametrize("percent", [1, 5, 50, 99])
def test_those_whose_number_is_below_the_share_reach_the_new_colour_and_no_others(edge, percent):
    share(edge, f"canary-green-{percent:02}")
    found = {client: ask(edge, client)[0] for client in CLIENTS}
    assert found == {client: "green" if share_number(client) < percent else "blue" for client in CLIENTS}


def test_the_edge_says_which_colour_answered_and_which_share_it_sees(edge):
    assert ask(edge, INSIDE, SHARE_PATH)[0] == NO_SHARE
    share(edge, "canary-green-05")
    assert [ask(edge, client) for client in (INSIDE, LATER)] == [("green", "green"), ("blue", "blue")]
    assert ask(edge, LATER, SHARE_PATH)[0] == "/canary-green-05"
    assert edge.get("/.slipway/active").text == "blue"


def test_a_share_that_rises_only_adds_clients_and_at_nothing_all_are_back_with_the_next_request(edge):
    who = (INSIDE, LATER, NEVER)
    found = []
    for files in ((), ("canary-green-05",), ("canary-green-50",), ()):
        share(edge, *files)
        found.append([ask(edge, client)[0] for client in who])
    assert found == [["blue"] * 3, ["green", "blue", "blue"], ["green", "green", "blue"], ["blue"] * 3]


def test_the_turn_leaves_those_in_the_share_where_they_are(edge):
    share(edge, "canary-green-05")
    edge.turn("shop", "green")
    assert [ask(edge, client)[0] for client in (INSIDE, NEVER)] == ["green", "green"]
    share(edge)
    assert [ask(edge, client)[0] for client in (INSIDE, NEVER)] == ["green", "green"]


def test_a_share_of_blue_counts_as_one_of_green(edge):
    edge.turn("shop", "green")
    share(edge, "canary-blue-05")
    assert [ask(edge, client)[0] for client in (INSIDE, LATER)] == ["blue", "green"]


def test_those_in_the_share_have_what_the_new_release_exposes(edge):
    share(edge, "canary-green-05")
    assert [ask(edge, client, "/new")[0] for client in (INSIDE, LATER)] == ["green", "blue"]


def test_a_stream_of_the_share_goes_on_when_the_share_is_taken_back(edge, colours):
    share(edge, "canary-green-05")
    opened = connection(edge, INSIDE)
    opened.request("GET", "/stream", headers={"Host": HOST})
    answer = opened.getresponse()
    assert answer.read1(100) == b"data: one\n\n"
    share(edge)
    assert ask(edge, INSIDE)[0] == "blue"
    colours["green"].go_on.set()
    assert answer.read() == b"data: two\n\n"
    assert answer.headers["X-Slipway-Colour"] == "green"
    opened.close()


def test_while_shares_change_those_inside_all_of_them_never_leave(edge):
    over, answered, seen = threading.Event(), threading.Semaphore(0), set()

    def change():
        # One change while a request is under way: more of them in one look at the files is no promotion's pace.
        while not over.is_set():
            for percent in (5, 25, 50):
                answered.acquire(timeout=PATIENCE)
                share(edge, f"canary-green-{percent:02}")

    share(edge, "canary-green-05")
    changing = threading.Thread(target=change)
    changing.start()
    opened = connection(edge, INSIDE)
    for _ in range(500):
        opened.request("GET", "/", headers={"Host": HOST})
        seen.add(opened.getresponse().read())
        answered.release()
    over.set()
    answered.release(3)
    changing.join(PATIENCE)
    opened.close()
    assert seen == {b"green"}
