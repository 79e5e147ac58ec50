"""Where DNS leads is asked within seconds, and an answer that does not come is none."""

import dns.exception
import dns.resolver
import pytest

from flows.core.traffic.edge.view import EdgeView
from flows.tasks.traffic.edge import addresses

pytestmark = pytest.mark.unit
DROPLET = "203.0.113.7"


@pytest.fixture
def names(monkeypatch):
    """What DNS has: (host, kind) → addresses, or the error; and how long it was given."""
    known: dict = {"given": set()}

    def resolve(host, kind, lifetime):
        known["given"].add(lifetime)
        found = known.get((host, kind), dns.resolver.NXDOMAIN())
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(addresses.dns.resolver, "resolve", resolve)
    return known


def test_addresses_of_both_kinds_are_found(names):
    names.update({("a.de", "A"): [DROPLET], ("a.de", "AAAA"): ["2001:db8::7"]})
    assert addresses.addresses_of("a.de") == [DROPLET, "2001:db8::7"]
    names["a.de", "A"] = dns.resolver.NoAnswer()
    assert addresses.addresses_of("a.de") == ["2001:db8::7"]
    assert names["given"] == {4.0}


def test_a_name_that_is_not_there_has_none_and_a_server_that_is_silent_says_nothing(names):
    assert addresses.addresses_of("a.de") == []
    names["a.de", "A"] = dns.exception.Timeout()
    assert addresses.addresses_of("a.de") is None


def test_a_host_that_leads_to_the_droplet_is_not_told_of_whatever_its_address_is_called(names):
    names.update({("a.de", "A"): [DROPLET], ("b.de", "A"): ["10.0.0.7"], ("prod.de", "A"): [DROPLET]})
    for host in ("a.de", "b.de", "prod.de"):
        names[host, "AAAA"] = dns.resolver.NoAnswer()
    view = EdgeView(addresses=("10.0.0.7",), tls="acme")
    assert addresses.told_before(["a.de", "b.de"], "prod.de", view) == []
    assert len(addresses.told_before(["a.de", "c.de", "*.de"], "prod.de", view)) == 2
    assert addresses.told_before(["c.de"], "prod.de", EdgeView(tls="internal")) == []
