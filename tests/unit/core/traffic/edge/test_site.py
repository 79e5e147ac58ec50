"""A stack's site as text: the same for the same routes, taken by Caddy whatever hosts and paths there are."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.core.errors import BadEdge, HostTaken
from flows.core.stack.side_by_side.facts import Exposed
from flows.core.stack.side_by_side.ports import loopback_ports
from flows.core.traffic.edge.caddyfile import EdgeSettings
from flows.core.traffic.edge.site import EdgeRoute, Site, site_routes
from tests.support.edge.real_caddy import needs_caddy

pytestmark = pytest.mark.unit

labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
hosts = st.builds(lambda star, parts: star + ".".join(parts), st.sampled_from(["", "*."]), st.lists(labels, min_size=2))
paths = st.from_regex(r"/[A-Za-z0-9._~/-]{0,12}", fullmatch=True)
ports = st.dictionaries(st.sampled_from(["green", "blue"]), st.just((20000, 20001)) | st.just((20010,)))
routes = st.lists(st.builds(EdgeRoute, paths, ports), max_size=4, unique_by=lambda one: one.path.rstrip("/").lower())
sites = st.builds(
    Site,
    st.from_regex(r"[a-z0-9][a-z0-9_-]{0,10}", fullmatch=True),
    st.dictionaries(hosts, routes.map(tuple), min_size=1, max_size=4),
)


@needs_caddy
@settings(max_examples=15)
@given(sites, st.sampled_from(["acme", "internal"]), st.sampled_from(["", "a.b+c@d.example"]))
def test_caddy_takes_every_site(tmp_path_factory, site, tls, email):
    place = tmp_path_factory.mktemp("config")
    (place / "sites").mkdir()
    (place / "Caddyfile").write_text(EdgeSettings(email, tls, metrics=2021).text())
    (place / "sites/a.caddy").write_text(site.text())
    argv = ["caddy", "adapt", "--config", place / "Caddyfile", "--adapter", "caddyfile"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def exposes(**more):
    return Exposed(**{"hosts": ("a.example.com",), "port": 8000, **more})


def test_what_each_colour_exposes_becomes_the_routes_of_its_hosts():
    green = {
        "api": exposes(path="/api/", replicas=2),
        "web": exposes(hosts=("a.example.com", "b.example.com")),
    }
    found = site_routes("shop", {"green": green, "blue": {"web": exposes()}})
    web = {colour: loopback_ports("shop", "web", colour) for colour in ("green", "blue")}
    assert found == {
        "a.example.com": (
            EdgeRoute("/api", {"green": loopback_ports("shop", "api", "green", 2)}),
            EdgeRoute("/", web),
        ),
        "b.example.com": (EdgeRoute("/", {"green": web["green"]}),),
    }


@pytest.mark.parametrize(("one", "other"), [("/", "/"), ("/a", "/a/"), ("/a", "/A")])
def test_two_services_of_a_colour_cannot_have_the_same_path(one, other):
    both = {"api": exposes(path=one), "web": exposes(path=other)}
    with pytest.raises(HostTaken, match=r"api and web both expose a\.example\.com/"):
        site_routes("shop", {"green": both})
    apart = {"green": {"api": both["api"]}, "blue": {"web": both["web"]}}
    assert "a.example.com" in site_routes("shop", apart)


def test_the_same_routes_give_the_same_text_in_whatever_order():
    first, second = EdgeRoute("/", {"green": (1,), "blue": (2,)}), EdgeRoute("/api", {"blue": (2,), "green": (1,)})
    same = EdgeRoute("/api", {"green": (1,), "blue": (2,)})
    texts = {
        Site("shop", {"a.de": (first, second), "b.de": (first, same)}).text(),
        Site("shop", {"b.de": (second, first), "a.de": (same, first)}).text(),
    }
    assert len(texts) == 1
    assert "a.de, b.de {" in texts.pop()


@pytest.mark.parametrize("word", ["a b", "a{", "a}\n", 'a"', "a`", "#a", "", "{env.HOME}"])
def test_a_word_that_means_something_to_caddy_makes_no_site(word):
    with pytest.raises(ValueError, match="cannot stand in a site"):
        Site("shop", {word: (EdgeRoute("/", {}),)})
    with pytest.raises(ValueError, match="cannot stand in a site"):
        Site("shop", {"a.de": (EdgeRoute(word, {}),)})


@pytest.mark.parametrize("email", ["a", "a@b c", "a@b}\n", "{env.X}@b.de", "a@"])
def test_an_address_that_is_none_is_refused(email):
    with pytest.raises(BadEdge, match="no email address"):
        EdgeSettings(email)


def test_streams_outlive_a_reload_only_where_caddy_knows_how():
    assert "stream_close_delay" not in EdgeSettings(caddy=(2, 6, 2)).text()
    assert "stream_close_delay" in EdgeSettings(caddy=(2, 7, 0)).text()
