"""The DNS switch: the TTL beforehand and afterwards, the name servers' own word, records that are not as they were."""

from types import SimpleNamespace

import dns.flags
import dns.message
import dns.rrset
import pytest
from pydantic import ValidationError

from blocks import DigitalOceanAccount, DnsSwitch, LoadBalancerSwitch, ReservedIpSwitch
from blocks.errors import SwitchFailed, SwitchMoved
from tests.support.digitalocean_in_process import add_droplet, add_record, standin

pytestmark = pytest.mark.unit
NAMES = {"green": ["green"], "blue": ["blue"]}
IP = "198.51.100.1"


@pytest.fixture
def lab(tmp_path):
    with standin(tmp_path) as lab:
        add_droplet(lab.cloud, "green", ip="192.0.2.1")
        add_droplet(lab.cloud, "blue", ip="192.0.2.2")
        account = DigitalOceanAccount(token=lab.token, api=lab.url)
        lab.common = {"url": "http://edge", "droplets": NAMES, "account": account}
        yield lab


@pytest.fixture
def name(lab, monkeypatch):
    """A record, and a name server that answers with it; `served.authority` is taken away by a test."""
    id = add_record(lab.cloud, "agents.lab", "app", "192.0.2.1", ttl=1)
    lab.served = SimpleNamespace(authority=True, asked=0)
    record = lab.cloud.domains["agents.lab"][0]

    def udp(question, _host, _timeout, _port):
        lab.served.asked += 1
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.AA if lab.served.authority else 0
        answer.answer.append(dns.rrset.from_text("app.agents.lab.", record["ttl"], "IN", "A", record["data"]))
        return answer

    monkeypatch.setattr("blocks.traffic.dns_record.dns.query.udp", udp)
    monkeypatch.setattr("blocks.traffic.dns_record._PUBLISHED", 1.0)
    record["ttl"] = 60
    lab.record = record
    assert record["id"] == id
    return DnsSwitch(domain="agents.lab", record="app.agents.lab", name_servers=["127.0.0.1:53"], **lab.common)


def test_a_record_is_turned_once_the_name_servers_say_so(lab, name):
    seen = name.read()
    assert (seen.active, name.last_report) == (("green",), "")
    assert name.switch_to("blue", seen, "test").active == ("blue",)
    assert (lab.record["data"], lab.served.asked > 0) == ("192.0.2.2", True)
    assert (
        "answers given before that run out 60 s later, so both colours were reached for at most 60 s"
        in name.last_report
    )
    assert name.switch_to("blue", seen, "again").active == ("blue",)


def test_a_droplet_that_was_made_anew_is_looked_up_anew_once_the_switch_was_closed(lab, name):
    name.read()
    name.close()
    blue = next(droplet for droplet in lab.cloud.droplets.values() if droplet["name"] == "blue")
    blue["tags"] = ["trial"]
    lab.client.droplets.remove(lab.client.droplets.named("blue"), "trial")
    add_droplet(lab.cloud, "blue", ip="192.0.2.3")
    name.switch_to("blue", name.read(), "test")
    assert lab.record["data"] == "192.0.2.3"


def test_the_ttl_is_lowered_beforehand_waited_for_and_restored(lab, name, monkeypatch):
    slept, told = [], []
    monkeypatch.setattr("blocks.traffic.dns_record.time.sleep", slept.append)
    name.read()
    assert "Before that, 60 s pass" in name.client_impact
    name.prepare(told.append)
    assert (lab.record["ttl"], slept[-1]) == (30, 60)
    assert "run out in 60 s" in told[0]
    name.prepare(told.append)
    assert len(told) == 1
    name.finish()
    assert lab.record["ttl"] == 1800


def test_a_name_server_without_authority_proves_nothing(lab, name):
    lab.served.authority = False
    with pytest.raises(SwitchFailed, match=r"has no authority over app.agents.lab"):
        name.switch_to("blue", name.read(), "test")


def test_every_name_server_is_asked_until_it_has_the_new_address_and_then_no_more(lab, name, monkeypatch):
    seen, asked = name.read(), []
    lagging = {"one": 0, "two": 2, "three": 1}

    def ask(self, server):
        asked.append(server)
        lagging[server] -= 1
        return ({"192.0.2.1"} if lagging[server] >= 0 else {"192.0.2.2"}), 60

    monkeypatch.setattr(DnsSwitch, "_ask", ask)
    monkeypatch.setattr("blocks.traffic.dns_record._PAUSE", 0.0)
    name.name_servers = list(lagging)
    assert name.switch_to("blue", seen, "test").active == ("blue",)
    assert asked == ["one", "two", "two", "two", "three", "three"]


def test_a_name_server_that_keeps_the_old_address_is_named(lab, name, monkeypatch):
    monkeypatch.setattr(DnsSwitch, "_ask", lambda _, server: ({f"192.0.2.{2 if server == 'one' else 1}"}, 60))
    monkeypatch.setattr("blocks.traffic.dns_record._PUBLISHED", 0.0)
    seen, name.name_servers = name.read(), ["one", "two"]
    with pytest.raises(SwitchFailed, match=r"two does not answer with the address of blue .*: 192\.0\.2\.1 for 60 s"):
        name.switch_to("blue", seen, "test")


def test_a_record_that_somebody_else_changed_is_left_alone(lab, name):
    seen = name.read()
    lab.record["data"] = "203.0.113.9"
    with pytest.raises(SwitchMoved):
        name.switch_to("blue", seen, "test")
    assert lab.record["data"] == "203.0.113.9"


@pytest.mark.parametrize("count", [0, 2])
def test_a_record_that_is_missing_or_there_twice_is_refused(lab, name, count):
    lab.cloud.domains["agents.lab"] = [{**lab.record, "id": number} for number in range(1, count + 1)]
    with pytest.raises(SwitchFailed, match=r"has no A record|has 2 A records"):
        name.read()


@pytest.mark.parametrize(
    ("kind", "given", "why"),
    [
        (ReservedIpSwitch, {"ip": IP, "droplets": {"green": ["a", "b"], "blue": ["c"]}}, "is one droplet's"),
        (
            LoadBalancerSwitch,
            {"balancer": "x", "droplets": {"green": ["a"], "blue": ["a"]}},
            "be green and blue",
        ),
        (LoadBalancerSwitch, {"balancer": "x", "droplets": {"green": ["a"]}}, "needs the names"),
    ],
)
def test_a_switch_that_makes_no_sense_is_refused(kind, given, why):
    with pytest.raises(ValidationError, match=why):
        kind(url="http://edge", account=DigitalOceanAccount(token="t"), **given)
