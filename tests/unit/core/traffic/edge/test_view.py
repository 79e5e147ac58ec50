"""The edge of a droplet as it is read: who has its ports and hosts, and where DNS leads."""

import json
import os
import re
import socket
import subprocess

import pytest

from flows.core.errors import BadEdge, HostTaken, PortTaken, UnreadableAnswer
from flows.core.stack.side_by_side.ports import loopback_ports
from flows.core.traffic.edge.caddyfile import EdgeSettings
from flows.core.traffic.edge.hosts import certificate_warnings, refuse_taken_hosts
from flows.core.traffic.edge.places import EdgeDirectory
from flows.core.traffic.edge.project import edge_mark, edge_project
from flows.core.traffic.edge.setup_scripts import read_pinned_image
from flows.core.traffic.edge.site import EdgeRoute, Site
from flows.core.traffic.edge.view import (
    EdgeView,
    SiteEntry,
    edge_view_script,
    read_edge_view,
    refuse_taken_loopback,
    refuse_taken_ports,
)
from tests.support.builders import digest

pytestmark = pytest.mark.unit
IMAGE = f"docker.io/library/caddy@{digest('a')}"
SHOP = Site("shop", {"a.example.com": (EdgeRoute("/", {"green": (1,)}),)})


def looked(tmp_path, *containers) -> EdgeView:
    """What the script says of this machine, whose docker lists these containers."""
    (tmp_path / "docker").write_text(
        f"#!/bin/sh\ncase \"$*\" in *label=*) exit;; esac\nprintf '%s\\n' {' '.join(map(_quoted, containers))}\n"
    )
    (tmp_path / "docker").chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    script = edge_view_script(EdgeDirectory(str(tmp_path)))
    done = subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True, check=True)
    return read_edge_view(done.stdout)


def _quoted(row):
    return f"'{json.dumps(row)}'"


def test_a_droplet_without_an_edge_has_none(tmp_path):
    view = looked(tmp_path)
    assert (view.runs, view.sites, view.tls, view.email) == (False, (), "", "")


def test_what_the_edge_was_told_and_serves_is_read_from_its_files(tmp_path):
    at = tmp_path / ".edge"
    for folder in ("config/sites", "state/shop/release/green", "state/shop/release/blue"):
        (at / folder).mkdir(parents=True)
    (at / "config/Caddyfile").write_text(EdgeSettings("a@example.com", "internal").text())
    (at / "config/sites/shop.caddy").write_text(SHOP.text())
    (at / "config/sites/other.caddy").write_text("# by hand\n")
    for file in ("green", "lock", "release/blue/v2"):
        (at / "state/shop" / file).touch()
    view = looked(tmp_path)
    assert view.sites == (SiteEntry("shop", ("a.example.com",), ("green",), {"blue": "v2"}),)
    assert (view.email, view.tls) == ("a@example.com", "internal")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_port_that_somebody_listens_at_is_seen_in_both_families(tmp_path, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as server:
        assert server.getsockname()[1] in looked(tmp_path).listening
        port = server.getsockname()[1]
    assert port not in looked(tmp_path).listening


def container(ports, name="web-1", project="shop"):
    return {"name": name, "project": project, "ports": ports}


@pytest.mark.parametrize(
    ("ports", "taken"),
    [
        ("0.0.0.0:80->8080/tcp, :::80->8080/tcp", {80}),
        ("127.0.0.1:443->443/tcp", {443}),
        ("0.0.0.0:79-81->79-81/tcp", {79, 80, 81}),
        ("0.0.0.0:443->443/udp", set()),
        ("80/tcp, 443/tcp", set()),
        ("0.0.0.0:8080->80/tcp", {8080}),
        ("", set()),
    ],
)
def test_a_container_that_publishes_a_port_is_known_by_its_name(tmp_path, ports, taken):
    assert looked(tmp_path, container(ports)).published == dict.fromkeys(taken, ("shop", "web-1"))


def test_a_port_of_somebody_else_is_refused_with_whose_it_is():
    with pytest.raises(PortTaken, match=r"prod: port 443, .* by the container web-1\. Nothing was changed"):
        refuse_taken_ports(EdgeView(published={443: ("shop", "web-1")}), "prod")
    with pytest.raises(PortTaken, match=r"port 80, .* by a process of its own \(`ss -ltnp"):
        refuse_taken_ports(EdgeView(listening=frozenset({22, 80})), "prod")
    assert refuse_taken_ports(EdgeView(listening=frozenset({22, 8080})), "prod") is None
    assert refuse_taken_ports(EdgeView(image=IMAGE, listening=frozenset({80, 443})), "prod") is None


def test_a_loopback_port_of_somebody_else_is_refused_and_one_of_the_colour_itself_is_not():
    port = loopback_ports("shop", "web", "green")[0]
    site = Site("shop", {"a.example.com": (EdgeRoute("/", {"green": (port,), "blue": (port + 10,)}),)})
    with pytest.raises(PortTaken, match=rf"prod: port {port} .* a\.example\.com on green, is taken by the contain"):
        refuse_taken_loopback(EdgeView(published={port: ("blog-green", "blog-green-web-1")}), site, "green", "prod")
    with pytest.raises(PortTaken, match="a process of its own"):
        refuse_taken_loopback(EdgeView(image=IMAGE, listening=frozenset({port})), site, "green", "prod")
    ours = EdgeView(published={port: ("shop-green", "shop-green-web-1")}, listening=frozenset({port}))
    assert refuse_taken_loopback(ours, site, "green", "prod") is None
    assert refuse_taken_loopback(EdgeView(listening=frozenset({port})), site, "blue", "prod") is None


def test_a_host_of_another_stack_is_refused_and_ones_own_is_not():
    with pytest.raises(HostTaken, match=r"prod: the stack blog is served as a\.example\.com already, so shop"):
        refuse_taken_hosts(SHOP, [SiteEntry("blog", ("b.example.com", "a.example.com"))], "prod")
    assert refuse_taken_hosts(SHOP, [SiteEntry("shop", ("a.example.com",)), SiteEntry("b", ("b.de",))], "prod") is None


@pytest.mark.parametrize(
    ("addresses", "said"),
    [
        (["203.0.113.7"], None),
        (["203.0.113.7", "2001:DB8:0::7"], None),
        (["203.0.113.7", "203.0.113.9"], r"leads to 203\.0\.113\.9, and not to this droplet"),
        ([], "knows no address of it"),
        (None, "DNS did not answer"),
    ],
)
def test_where_dns_leads_is_told_before_a_certificate_is_asked_for(addresses, said):
    found = certificate_warnings(["a.de"], {"a.de": addresses}, ["203.0.113.7", "2001:db8::7"])
    assert len(found) == bool(said)
    assert all(re.search(said, one) for one in found)


def test_a_wildcard_gets_no_certificate_from_an_authority():
    assert "--tls internal" in certificate_warnings(["*.a.de"], {"*.a.de": ["203.0.113.7"]}, ["203.0.113.7"])[0]


def test_the_project_is_of_one_image_by_digest_and_mounts_directories_alone():
    project = json.loads(edge_project(IMAGE))
    [service] = project["services"].values()
    assert (project["name"], service["network_mode"], service["restart"]) == ("slipway-edge", "host", "unless-stopped")
    sources = [volume.split(":")[0] for volume in service["volumes"]]
    assert sources == ["./config", "./state", "./data", "./log"]
    assert edge_mark(edge_project(IMAGE)) != edge_mark(edge_project(f"caddy@{digest('b')}"))


@pytest.mark.parametrize("image", ["caddy", "caddy:2", "caddy@sha256:12", f"caddy @{digest('a')}"])
def test_an_image_that_no_digest_pins_is_refused(image):
    with pytest.raises(BadEdge, match="is not pinned by a digest"):
        edge_project(image)


@pytest.mark.parametrize(
    ("image", "known", "pinned"),
    [
        ("caddy:2", [f"caddy@{digest('a')}"], f"caddy@{digest('a')}"),
        ("docker.io/library/caddy:2", [f"caddy@{digest('a')}"], f"docker.io/library/caddy@{digest('a')}"),
        ("r.de/x/caddy", [f"caddy@{digest('a')}", f"r.de/x/caddy@{digest('b')}"], f"r.de/x/caddy@{digest('b')}"),
        (f"caddy@{digest('c')}", [f"caddy@{digest('c')}"], f"caddy@{digest('c')}"),
    ],
)
def test_an_image_is_pinned_by_what_its_own_registry_calls_it(image, known, pinned):
    assert read_pinned_image(json.dumps(known), image) == pinned


def test_an_image_that_was_built_there_cannot_be_pinned():
    with pytest.raises(BadEdge, match=r"by no digest of docker\.io"):
        read_pinned_image(json.dumps(["other@sha256:1"]), "caddy:2")
    with pytest.raises(UnreadableAnswer):
        read_pinned_image("{", "caddy:2")
    assert read_pinned_image("\n", "caddy:2") == ""
