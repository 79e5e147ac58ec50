"""What moves traffic in the account is real: balancers that check health, names that resolve, addresses that move."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import dns.flags
import dns.message
import dns.query
import dns.rcode
import httpx
import pytest

from tests.support import wait_until
from tests.support.lab.digitalocean_account import calm_cloud
from tests.support.lab.lab import port

pytestmark = pytest.mark.lab
PORT = 18_000
# Answers with its colour; a path that begins with a number takes so many seconds.
SERVER = """
import sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        time.sleep(float(self.path[1:] or 0))
        self.send_response(200)
        self.send_header("Content-Length", str(len(sys.argv[1])))
        self.end_headers()
        self.wfile.write(sys.argv[1].encode())
    def log_message(self, *_): pass
ThreadingHTTPServer(("", int(sys.argv[2])), Answer).serve_forever()
"""


@pytest.fixture
def cloud():
    """The account, quick."""
    with calm_cloud() as cloud:
        cloud.settings(action_seconds=0.2, rate_minute=5000)
        yield cloud


@pytest.fixture
def client(cloud):
    with cloud.client() as client:
        yield client


@pytest.fixture
def serve(lab, unique):
    """Have a droplet answer on a port of its own."""
    made = []

    def start(colour):
        made.append(name := f"{unique}-{colour}")
        lab.docker(
            *("run", "-d", "--rm", "--init", "--name", name, "--network", f"container:{lab.name}-{colour}"),
            *(f"{lab.name}-digitalocean", "python3", "-c", SERVER, colour, str(PORT)),
        )

    yield start
    for name in made:
        lab.docker("rm", "-f", name, check=False)


@pytest.fixture
def droplets(client):
    return {name: client.droplets.named(name).id for name in ("green", "blue")}


@pytest.fixture
def balancer(cloud, client, unique):
    """Make a balancer with these members; returns it and its URL."""
    made = []

    def create(**members):
        body = {
            "name": unique, "region": "nyc3", **members,
            "forwarding_rules": [{"entry_protocol": "http", "entry_port": 80, "target_protocol": "http",
                                  "target_port": PORT}],
            "health_check": {"protocol": "http", "port": PORT, "path": "/", "check_interval_seconds": 1,
                             "healthy_threshold": 2, "unhealthy_threshold": 2, "response_timeout_seconds": 1},
        }  # fmt: skip
        answer = cloud.ask("POST", "/v2/load_balancers", body)["load_balancer"]
        assert answer["status"] == "new"
        made.append(answer["id"])
        wait_until(lambda: client.load_balancers.get(answer["id"]).status == "active")
        return client.load_balancers.get(answer["id"]), body

    yield create
    for id in made:
        cloud.ask("DELETE", f"/v2/load_balancers/{id}")


def said(url, timeout=5.0):
    """What an address answers: a colour, a status, or the name of what went wrong."""
    try:
        answer = httpx.get(url, timeout=timeout, trust_env=False)
    except httpx.TransportError as error:
        return type(error).__name__
    return answer.text if answer.status_code == 200 else answer.status_code


def test_a_balancer_routes_to_who_is_healthy_alone(balancer, serve, droplets):
    edge, _ = balancer(droplet_ids=list(droplets.values()))
    url = f"http://{edge.ip}/"
    assert said(url) == 503
    began = time.monotonic()
    serve("green")
    wait_until(lambda: said(url) == "green")
    assert time.monotonic() - began > 1  # two checks, a second apart
    assert Counter(said(url) for _ in range(40)) == {"green": 40}  # blue is a member, and does not answer
    serve("blue")
    wait_until(lambda: said(url) == "blue")
    assert set(Counter(said(url) for _ in range(40))) == {"green", "blue"}


def test_members_change_under_load_without_a_lost_request_and_what_is_under_way_ends(balancer, client, serve, droplets):
    serve("green")
    serve("blue")
    edge, _ = balancer(droplet_ids=[droplets["green"]])
    url, seen, stop = f"http://{edge.ip}/", Counter(), threading.Event()
    wait_until(lambda: said(url) == "green")

    def load():
        with httpx.Client(timeout=10, trust_env=False) as http:
            while not stop.is_set():
                seen[http.get(url).text] += 1

    with ThreadPoolExecutor(5) as pool:
        askers = [pool.submit(load) for _ in range(4)]
        try:
            slow = pool.submit(said, f"{url}6", 10)  # while nobody else is in
            wait_until(lambda: seen["green"] > 50)
            added = time.monotonic()
            client.load_balancers.add(edge.id, [droplets["blue"]])
            wait_until(lambda: seen["blue"])
            admitted = time.monotonic() - added
            wait_until(lambda: seen["blue"] > 50)
            client.load_balancers.remove(edge.id, [droplets["green"]])
            left, answered = seen["green"], slow.done()
            wait_until(lambda: seen["blue"] > 200)
        finally:
            stop.set()
        for asker in askers:
            asker.result(10)  # raises what a client saw
        assert (answered, slow.result(10)) == (False, "green")
    assert admitted > 1  # not before two checks, a second apart, though it answers at once
    assert set(seen) == {"green", "blue"}
    assert seen["green"] - left <= 4  # what each asker had under way
    assert said(url) == "blue"


def test_a_balancer_by_tag_follows_the_tag(balancer, cloud, client, serve, droplets, unique):
    serve("green")
    client.tags.add(unique, droplets["green"])
    edge, _ = balancer(tag=unique)
    url = f"http://{edge.ip}/"
    wait_until(lambda: said(url) == "green")
    client.tags.take(unique, droplets["green"])
    assert (said(url), client.load_balancers.get(edge.id).droplets) == (503, ())


def test_a_put_resets_what_it_leaves_out(balancer, cloud, serve, droplets):
    serve("green")
    edge, body = balancer(droplet_ids=[droplets["green"]])
    wait_until(lambda: said(f"http://{edge.ip}/") == "green")
    del body["health_check"]
    after = cloud.ask("PUT", f"/v2/load_balancers/{edge.id}", body)["load_balancer"]
    assert (after["health_check"]["port"], after["health_check"]["check_interval_seconds"]) == (80, 10)
    assert (after["ip"], after["droplet_ids"]) == (edge.ip, [droplets["green"]])
    assert said(f"http://{edge.ip}/") == 503  # nothing answers at the port that is checked now


def asked(name, type="A"):
    """(answers with their TTL, whether the server has authority over the name, how it ended)."""
    answer = dns.query.udp(dns.message.make_query(name, type), "127.0.0.1", timeout=3, port=port("DNS", 5353))
    found = [(record.to_text(), rrset.ttl) for rrset in answer.answer for record in rrset]
    return sorted(found), bool(answer.flags & dns.flags.AA), dns.rcode.to_text(answer.rcode())


def test_a_name_resolves_to_what_its_record_says(cloud, client, unique):
    domain = f"{unique}.lab"
    records = f"/v2/domains/{domain}/records"
    assert asked(f"app.{domain}")[2] == "REFUSED"
    cloud.ask("POST", "/v2/domains", {"name": domain, "ip_address": "192.0.2.7"})
    try:
        assert cloud.ask("GET", f"/v2/domains/{domain}")["domain"]["name"] == domain
        cloud.ask("POST", records, {"type": "A", "name": "app", "data": "192.0.2.1", "ttl": 30})
        wait_until(lambda: asked(f"app.{domain}") == ([("192.0.2.1", 30)], True, "NOERROR"))
        assert asked(domain) == ([("192.0.2.7", 1800)], True, "NOERROR")
        record = client.domains.record(domain, f"app.{domain}")
        client.domains.change(domain, record, data="192.0.2.2", ttl=90)
        wait_until(lambda: asked(f"app.{domain}") == ([("192.0.2.2", 90)], True, "NOERROR"))
        cloud.ask("POST", records, {"type": "A", "name": "app", "data": "192.0.2.3", "ttl": 90})
        wait_until(lambda: asked(f"app.{domain}")[0] == [("192.0.2.2", 90), ("192.0.2.3", 90)])
        for type, name, data in (("TXT", "words", 'say "yes"; v=1'), ("CNAME", "www", f"app.{domain}."),
                                 ("MX", "@", f"mail.{domain}.")):  # fmt: skip
            given = {"type": type, "name": name, "data": data, "ttl": 30, "priority": 10 if type == "MX" else None}
            cloud.ask("POST", records, {**dict.fromkeys(("port", "weight", "flags", "tag")), **given})
        wait_until(lambda: asked(domain, "MX")[0] == [(f"10 mail.{domain}.", 30)])
        assert asked(f"words.{domain}", "TXT")[0] == [('"say \\"yes\\"; v=1"', 30)]
        assert asked(f"www.{domain}")[0][-1] == (f"app.{domain}.", 30)
    finally:
        cloud.ask("DELETE", f"/v2/domains/{domain}")
    wait_until(lambda: asked(f"app.{domain}")[2] == "REFUSED")


def test_a_reserved_address_moves_to_another_droplet(cloud, client, serve, droplets, lab):
    serve("green")
    serve("blue")
    ip = cloud.ask("POST", "/v2/reserved_ips", {"droplet_id": droplets["green"]})["reserved_ip"]["ip"]
    url = f"http://{ip}:{PORT}/"
    try:
        wait_until(lambda: said(url, 1) == "green")
        wait_until(lambda: not client.reserved_ips.get(ip).locked)
        for colour in ("blue", "green", "blue"):
            client.reserved_ips.assign(ip, droplets[colour])
            wait_until(lambda colour=colour: said(url, 0.3) == colour)
            has = [name for name in droplets if ip in lab.inside(name, "ip", "-4", "addr", "show", "eth0")]
            assert (has, client.reserved_ips.get(ip).droplet) == ([colour], droplets[colour])
        actions = cloud.ask("GET", f"/v2/reserved_ips/{ip}/actions")["actions"]
        assert [(a["type"], a["status"]) for a in actions[:4]] == [("assign_ip", "completed")] * 4
    finally:
        cloud.ask("DELETE", f"/v2/reserved_ips/{ip}")
    assert said(url, 0.5) in ("ConnectTimeout", "ConnectError")
    assert ip not in lab.inside("blue", "ip", "-4", "addr", "show", "eth0")
