"""What the edge is told, told to a real Caddy: which colour answers, at which path, and what stands in its answers."""

import gzip
import json
from pathlib import Path

import httpx
import pytest

from blocks.http import tls
from flows.core.traffic.edge.places import AUTHORITY, READY, READY_PATH
from flows.core.traffic.edge.site import EdgeRoute, Site
from tests.support import PATIENCE, wait_until
from tests.support.edge.real_caddy import HOST, RealCaddy, colour_server, needs_caddy

pytestmark = [pytest.mark.unit, needs_caddy]
OTHER, WILD = "other.example.com", "*.wild.example.com"


@pytest.fixture(scope="module")
def colours():
    with colour_server("green") as green, colour_server("blue") as blue, colour_server("api") as api:
        yield {"green": green, "blue": blue, "api": api}


@pytest.fixture(scope="module")
def running(tmp_path_factory, colours):
    """An edge with one stack: a service behind every path, one behind /api, and one that blue alone exposes."""
    green, blue, api = ((colours[name].port,) for name in ("green", "blue", "api"))
    everything = EdgeRoute("/", {"green": green, "blue": blue})
    caddy = RealCaddy(tmp_path_factory.mktemp("edge"))
    routes = (everything, EdgeRoute("/api", {"green": api, "blue": api}), EdgeRoute("/api/deep/", {"green": green}))
    caddy.put(Site("shop", {HOST: routes, WILD: (everything,), OTHER: (EdgeRoute("/only", {"blue": blue}),)}))
    with caddy:
        yield caddy


@pytest.fixture
def edge(running):
    running.turn("shop", "green")
    return running


@pytest.mark.parametrize(
    ("active", "told", "served"),
    [
        (("green",), (200, "green"), (200, "green")),
        (("blue",), (200, "blue"), (200, "blue")),
        ((), (503, "none"), (503, None)),
        (("green", "blue"), (503, "both"), (200, "blue")),
    ],
)
def test_the_file_that_is_there_decides_and_the_edge_says_which(edge, active, told, served):
    edge.turn("shop", *active)
    answer = edge.get("/.slipway/active")
    assert (answer.status_code, answer.text) == told
    answer = edge.get("/")
    assert (answer.status_code, answer.headers.get("X-Slipway-Colour")) == served
    assert answer.status_code == 200 or "No colour of shop is active" in answer.text


@pytest.mark.parametrize(
    ("path", "who"),
    [
        ("/", "green"),
        ("/a?b=c", "green"),
        ("/api", "api"),
        ("/api/", "api"),
        ("/api/x/%2Fy", "api"),
        ("/apix", "green"),
        ("/api/deep", "green"),
        ("/api/deep/er", "green"),
        ("/api/deeper", "api"),
    ],
)
def test_the_longest_path_decides_and_is_passed_on_as_it_came(edge, colours, path, who):
    assert edge.get(path).text == who
    assert colours[who].asked[-1][1] == path


def test_a_colour_serves_what_its_own_release_exposes(edge):
    assert (edge.get("/only", OTHER).status_code, edge.get("/else", OTHER).status_code) == (404, 404)
    edge.turn("shop", "blue")
    assert (edge.get("/only/x", OTHER).text, edge.get("/else", OTHER).status_code) == ("blue", 404)
    assert edge.get("/api/deep").text == "api"


def test_each_host_has_its_paths_and_a_host_that_nobody_has_is_told_so(edge):
    assert edge.get("/", "a.wild.example.com").text == "green"
    assert edge.get("/.slipway/active", OTHER).text == "green"
    answer = httpx.get(f"http://127.0.0.1:{edge.http}/", headers={"Host": "none.example.com"}, trust_env=False)
    assert (answer.status_code, answer.text) == (404, "No stack on this droplet has that host.")


def test_http_leads_to_https_and_the_edge_says_that_it_is_there(edge):
    answer = httpx.get(f"http://127.0.0.1:{edge.http}/a?b=c", headers={"Host": HOST}, trust_env=False)
    assert (answer.status_code, answer.headers["Location"]) == (308, f"https://{HOST}/a?b=c")
    assert httpx.get(f"http://127.0.0.1:{edge.http}{READY_PATH}", trust_env=False).text == READY


def test_its_own_authority_is_there_from_the_start_and_clients_that_trust_it_accept_its_certificates(edge):
    authority = edge.place / "data" / Path(AUTHORITY).relative_to("/data")
    with httpx.Client(verify=tls.context(authority.read_text()), trust_env=False, timeout=PATIENCE) as client:
        assert edge.send(client, "/").text == "green"


def test_before_any_host_is_served_the_authority_is_there(tmp_path):
    with RealCaddy(tmp_path) as caddy:
        assert (caddy.place / "data" / Path(AUTHORITY).relative_to("/data")).read_text().startswith("-----BEGIN CERT")


def test_colour_and_release_are_the_words_of_the_edge_alone(edge):
    answer = edge.get("/")
    assert answer.headers.get_list("X-Slipway-Colour") == ["green"]
    assert answer.headers.get_list("X-Slipway-Release") == []


def test_the_release_is_told_from_the_moment_it_is_named_without_a_reload(edge):
    release = edge.place / "state/shop/release/green"
    release.mkdir(exist_ok=True)
    (release / "v1.2.3").touch()
    assert edge.get("/").headers.get_list("X-Slipway-Release") == ["v1.2.3"]
    assert edge.get("/api/nothing").headers["X-Slipway-Release"] == "v1.2.3"
    (release / "v1.2.3").rename(release / "v2_0-rc.1")
    assert edge.get("/").headers.get_list("X-Slipway-Release") == ["v2_0-rc.1"]
    (release / "v2_0-rc.1").unlink()


def test_who_asked_is_what_the_edge_saw_whatever_the_client_says(edge, colours):
    lies = {"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil"}
    edge.get("/", headers={**lies, "X-Real-IP": "1.2.3.4", "Forwarded": "for=1.2.3.4"})
    heard = colours["green"].asked[-1][2]
    names = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip", "forwarded", "host")
    assert [heard.get(name) for name in names] == ["127.0.0.1", "https", HOST, "127.0.0.1", None, HOST]


@pytest.mark.parametrize(
    ("kind", "packed"),
    [
        ("application/json", True),
        ("text/html; charset=utf-8", True),
        ("text/event-stream", False),
        ("application/x-ndjson", False),
        ("image/png", False),
    ],
)
def test_what_packs_well_is_packed_and_never_a_stream_of_events(edge, kind, packed):
    with edge.client() as client, edge.stream(client, f"/?times=2000&type={kind}") as answer:
        raw = b"".join(answer.iter_raw())
    assert (answer.headers.get("Content-Encoding") == "gzip") is packed
    assert (gzip.decompress(raw) if packed else raw) == b"green" * 2000


def test_the_log_names_colour_and_release_and_holds_no_login(edge):
    edge.get("/logged?token=sentinel", headers={"Authorization": "sentinel", "X-Api-Key": "sentinel"})
    log = edge.place / "log/shop.log"
    [line] = wait_until(lambda: [one for one in log.read_text().splitlines() if "/logged" in one])
    row = json.loads(line)
    assert row["resp_headers"]["X-Slipway-Colour"] == ["green"]
    assert (row["status"], row["request"]["host"], row["request"]["uri"]) == (200, HOST, "/logged?...")
    assert "sentinel" not in log.read_text()
