"""`slipway edge`: what an edge is in words, and the switch that is saved for a stack behind it."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from blocks import CaddySwitch, Droplet
from flows.cli.app import app
from flows.cli.setup import edge
from flows.core.traffic.edge.view import EdgeView, SiteEntry
from flows.tasks.droplet import connection, lock
from flows.tasks.runs import blocks as saved
from flows.tasks.traffic.edge import addresses, setup, sites
from tests.support.lab_scripts import lab_certificates

pytestmark = pytest.mark.unit
URL = "https://a.example.com"


@pytest.fixture
def droplet(monkeypatch):
    """A droplet on which nothing is done; what was asked of it."""
    asked = SimpleNamespace(setup=[], saved=[], view=EdgeView("caddy@sha256:1", state="Up", tls="acme"), changed=True)
    host = Droplet(host="203.0.113.7", private_key="k")
    host._block_document_name = "prod"

    @contextmanager
    def nothing(*_args, **_more):
        yield None

    def set_up(_session, directory, image, email, tls, registry):
        asked.setup.append((directory, image, email, tls, registry))
        return setup.EdgeDone("caddy@sha256:1", "2.8.4", "", asked.changed)

    monkeypatch.setattr(saved, "load_droplet", lambda _name: host)
    monkeypatch.setattr(saved, "load_registry", lambda _settings: None)
    monkeypatch.setattr(connection, "connected", nothing)
    monkeypatch.setattr(lock, "locked", nothing)
    monkeypatch.setattr(Droplet, "session", nothing)
    monkeypatch.setattr(setup.setup_edge, "fn", set_up)
    monkeypatch.setattr(setup, "edge_authority", lambda _session: lab_certificates().Authority("its").certificate)
    monkeypatch.setattr(sites.read_edge, "fn", lambda *_args: asked.view)
    monkeypatch.setattr(sites, "make_switch_place", lambda *_args: None)
    monkeypatch.setattr(addresses, "addresses_of", lambda _host: ["203.0.113.9"])
    monkeypatch.setattr(CaddySwitch, "save", lambda self, name, **_more: asked.saved.append((name, self)))
    return asked


def slipway(*words, **more):
    done = CliRunner().invoke(app, ["edge", *words], **more)
    return done.exit_code, " ".join(done.output.split())


def test_an_edge_is_set_up_after_a_yes(droplet):
    assert slipway("setup", "prod", input="n\n")[0] == 2
    assert droplet.setup == []
    code, said = slipway("setup", "prod", "--tls", "internal", "--email", "a@b.de", input="y\n")
    assert (code, droplet.setup) == (0, [("/opt/slipway", "", "a@b.de", "internal", None)])
    assert "the edge answers, Caddy 2.8.4 of caddy@sha256:1." in said


def test_a_second_time_says_that_nothing_was_changed(droplet):
    droplet.changed = False
    assert "Nothing was changed." in slipway("setup", "--yes")[1]


def test_the_switch_of_a_stack_is_probed_at_the_droplet_itself(droplet):
    code, said = slipway("setup", "--yes", "--stack", "shop", "--url", URL)
    [(name, switch)] = droplet.saved
    assert (code, name, switch.url, switch.authority) == (0, "shop-edge", URL, "")
    assert (switch.directory, switch.probe_at) == ("/opt/slipway/.edge/state/shop", "127.0.0.1:443")
    assert "DNS leads to 203.0.113.9" not in said  # the droplet's own name leads there, too
    assert "SLIPWAY_SWITCH=shop-edge" in said


def test_dns_that_leads_elsewhere_is_told(droplet, monkeypatch):
    monkeypatch.setattr(addresses, "addresses_of", lambda host: ["203.0.113.9"] if host == "a.example.com" else [])
    assert "DNS leads to 203.0.113.9, and not to this droplet" in slipway(
        "setup", "--yes", "--stack", "shop", "--url", URL
    )[1]  # fmt: skip


def test_the_switch_of_an_edge_that_certifies_itself_trusts_its_authority(droplet, monkeypatch):
    droplet.view = EdgeView("caddy@sha256:1", tls="internal")
    slipway("setup", "--yes", "--stack", "shop", "--url", URL)
    assert droplet.saved[0][1].authority.startswith("-----BEGIN CERTIFICATE")


@pytest.mark.parametrize("words", [("--tls", "none"), ("--stack", "shop"), ("--url", URL), ("--email", "nobody")])
def test_options_that_cannot_be_meant_are_refused(droplet, words):
    assert slipway("setup", "--yes", *words)[0] == 2
    assert droplet.setup == []


def test_an_edge_is_shown_with_what_it_serves(droplet):
    droplet.view = EdgeView(
        "caddy@sha256:1",
        state="Up 2 hours (healthy)",
        tls="internal",
        sites=(SiteEntry("shop", ("a.example.com", "b.example.com"), ("green",), {"green": "v2", "blue": "v1"}),),
    )
    assert edge.edge_lines(droplet.view) == [
        "The edge: caddy@sha256:1, Up 2 hours (healthy).",
        "Certificates: the edge's own.",
        "shop: green active (green has v2, blue has v1)",
        "  https://a.example.com",
        "  https://b.example.com",
    ]
    assert slipway("show")[0] == 0


def test_a_droplet_without_an_edge_is_told_how_to_get_one(droplet):
    droplet.view = EdgeView()
    code, said = slipway("show")
    assert (code, "slipway edge setup prod" in said) == (2, True)


def test_a_switch_is_saved_for_the_name_of_a_stack_not_for_its_place():
    words = ["edge", "setup", "prod", "--stack", "./shop/compose.yaml", "--url", "https://shop.example.com", "--yes"]
    answer = CliRunner().invoke(app, words)
    assert answer.exit_code == 2
    assert "the name of the stack" in answer.output
