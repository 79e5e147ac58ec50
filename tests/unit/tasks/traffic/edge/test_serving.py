"""What is told and awaited of the hosts that a release brings to the edge."""

import logging
from contextlib import nullcontext
from types import SimpleNamespace

import httpx
import pytest

from flows.core.errors import EdgeMissing, HostTaken
from flows.core.stack.side_by_side.facts import Exposed, SideBySide
from flows.core.traffic.edge.view import EdgeView, SiteEntry
from flows.tasks.traffic.edge import serving
from flows.tasks.traffic.edge.site_of_colours import site_of
from tests.support.builders import release

pytestmark = pytest.mark.unit
NEW = release().model_copy(
    update={
        "stack": "shop-green",
        "side_by_side": SideBySide(exposed={"web": Exposed(hosts=("a.example.com", "b.example.com"), port=80)}),
    }
)
SESSION = SimpleNamespace(
    address=SimpleNamespace(name="prod", host="203.0.113.7"), run=lambda *_, **__: SimpleNamespace(out="")
)


class Edge:
    """Stands in for the steps on an edge: what it serves, what it was told, and the hosts it has certificates for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *known: str, certified: tuple[str, ...] = ()) -> None:
        self.told: list[str] = []
        self.asked: list[str] = []
        self.certified = certified
        view = EdgeView(image="caddy", tls="acme", sites=(SiteEntry("shop", known),))
        parts = {
            "read_edge": lambda *_: view, "put_site": lambda *_: self.told.append("site") or True,
            "mark_release": lambda *_: self.told.append("release"), "edge_authority": lambda _: "",
            "http_client": lambda *_, **__: nullcontext(self), "get_run_logger": lambda: logging.getLogger("edge"),
            "told_before": lambda hosts, droplet, _view: [f"{host} leads elsewhere than {droplet}" for host in hosts],
            "_CERTIFIED": 0.0,
        }  # fmt: skip
        for name, part in parts.items():
            monkeypatch.setattr(serving, name, part)

    def get(self, url: str) -> None:
        host = httpx.URL(url).host
        self.asked.append(host)
        if host not in self.certified:
            raise httpx.ConnectError("no certificate")


def test_a_host_that_is_new_is_waited_for_and_told_when_it_has_no_certificate(monkeypatch, caplog):
    edge = Edge(monkeypatch, "a.example.com")
    serving.serve(SESSION, "/opt/slipway", NEW, "green")
    assert edge.told == ["site", "release"]
    assert edge.asked == ["b.example.com"]
    assert "b.example.com: the edge has no certificate for it yet" in caplog.text
    assert "a.example.com: the edge" not in caplog.text


def test_what_is_certified_or_was_served_before_is_not_told(monkeypatch, caplog):
    Edge(monkeypatch, certified=("a.example.com", "b.example.com"))
    serving.serve(SESSION, "/opt/slipway", NEW, "green")
    known = Edge(monkeypatch, "a.example.com", "b.example.com")
    serving.serve(SESSION, "/opt/slipway", NEW, "green")
    assert known.asked == []
    assert "no certificate" not in caplog.text


def test_where_dns_leads_is_told_of_new_hosts_before_anything_is_changed(monkeypatch, caplog):
    edge = Edge(monkeypatch, "a.example.com")
    serving.check_site(SESSION, "/opt/slipway", NEW, "green")
    assert "before a certificate is asked for: b.example.com leads elsewhere than 203.0.113.7" in caplog.text
    assert "a.example.com leads" not in caplog.text
    assert edge.told == []


def test_a_host_of_another_stack_is_refused_before_anything_is_changed(monkeypatch):
    edge = Edge(monkeypatch)
    taken = EdgeView(image="caddy", sites=(SiteEntry("blog", ("b.example.com",)),))
    monkeypatch.setattr(serving, "read_edge", lambda *_: taken)
    with pytest.raises(HostTaken):
        serving.check_site(SESSION, "/opt/slipway", NEW, "green")
    assert edge.told == []


def test_without_an_edge_that_is_told_and_nothing_fails(monkeypatch, caplog):
    Edge(monkeypatch)

    def missing(*_: object) -> bool:
        raise EdgeMissing("no edge runs there")

    monkeypatch.setattr(serving, "put_site", missing)
    serving.serve(SESSION, "/opt/slipway", NEW, "green")
    assert "no edge runs there" in caplog.text


def test_a_colour_without_a_release_is_served_already_so_that_its_first_one_reloads_nothing():
    first = site_of(SESSION, "/opt/slipway", NEW, "green")
    assert {colour for route in first.routes["a.example.com"] for colour in route.ports} == {"green", "blue"}
    blue = NEW.model_copy(update={"stack": "shop-blue"})
    assert site_of(SESSION, "/opt/slipway", blue, "blue").text() == first.text()
