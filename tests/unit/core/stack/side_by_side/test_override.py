"""Two colours and a data home of one unchanged compose file, read by Compose: nothing collides, everybody is found."""

import pytest

from flows.core.stack.side_by_side.override import colour_override, home_override, networks_from_home, together
from flows.core.stack.side_by_side.ports import loopback_ports
from tests.support.stack.compose_client import needs_compose, write_files
from tests.support.stack.three_projects import COLOURS, assert_apart, external, play, published

pytestmark = [pytest.mark.unit, needs_compose]

EVERYTHING = """
name: shop
services:
  web:
    image: web
    container_name: shop-web
    ports: ["80:8000", "8443:8000"]
    links: ["db:database", "api:backend", "db"]
    networks: {front: {}, back: {aliases: [site], priority: 3}}
    depends_on: {db: {condition: service_healthy}, api: {condition: service_started}}
    extra_hosts: ["somewhere:10.1.2.3"]
    volumes: ["cache:/cache", "sessions:/s"]
    x-slipway: {data: per-colour, expose: {host: [shop.example.com, www.example.com], port: 8000}}
  api:
    image: api
    deploy: {replicas: 3}
    ports: ["9000"]
    networks: [front, back]
    volumes: ["named:/n", "elsewhere:/e:ro"]
    x-slipway: {data: disposable, expose: {host: shop.example.com, path: /api, port: 9000}}
  sidecar: {image: side, network_mode: "service:api", container_name: shop-side}
  plain: {image: plain, container_name: plain}
  bridged: {image: x, network_mode: bridge, container_name: shop-bridged}
  db:
    image: db
    container_name: shop-db
    ports: ["5432:5432"]
    networks: {back: {aliases: ["pg$$1"], ipv4_address: 172.30.9.9}, vault: null}
    volumes: ["rows:/rows"]
    x-slipway: {data: home}
  queue: {image: queue, volumes: ["jobs:/jobs"], x-slipway: {data: home}}
  agent: {image: agent, network_mode: host, x-slipway: {data: home}}
  beside: {image: beside, network_mode: "service:db", x-slipway: {data: home}}
networks:
  front: {name: front-of-shop, driver_opts: {com.docker.network.bridge.name: br-shop, kept: "1"}}
  back:
    name: back-of-shop
    driver: bridge
    internal: true
    attachable: true
    enable_ipv6: false
    driver_opts: {com.docker.network.bridge.name: br-back, kept: "$$2"}
    labels: {team: "a$$b"}
  vault: {ipam: {config: [{subnet: 172.30.0.0/24}]}}
volumes:
  cache: {name: shop-cache}
  sessions:
  named: {name: shop_named}
  elsewhere: {external: true}
  rows: {name: shop-rows}
  jobs:
"""


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    return play(tmp_path_factory.mktemp("everything"), EVERYTHING)


def test_nothing_of_the_three_projects_collides(everything):
    assert_apart(everything)


@pytest.mark.parametrize("colour", COLOURS)
def test_what_the_edge_serves_is_published_on_the_loopback_alone(everything, colour):
    services = everything.of(colour)["services"]
    web, api = (loopback_ports("shop", name, colour, count) for name, count in (("web", 1), ("api", 3)))
    assert published(services["web"]) == [str(port) for port in web]
    assert published(services["api"]) == [str(port) for port in api]
    for name, target in (("web", 8000), ("api", 9000)):
        assert [(p["host_ip"], p["target"], p["protocol"]) for p in services[name]["ports"]] == [
            ("127.0.0.1", target, "tcp")
        ]


@pytest.mark.parametrize("colour", COLOURS)
def test_a_colour_joins_the_networks_that_its_home_makes_for_it(everything, colour):
    printed = everything.of(colour)
    shared = networks_from_home(everything.facts, stack="shop", colour=colour)
    assert external(printed) == set(shared) == {f"shop-{colour}_back", f"shop-{colour}_default"}
    assert printed["networks"]["front"] == {"name": f"front-of-shop-{colour}", "driver_opts": {"kept": "1"}}


@pytest.mark.parametrize("colour", COLOURS)
def test_names_of_containers_and_volumes_are_a_colour_s_own(everything, colour):
    printed = everything.of(colour)
    names = {n: spec.get("container_name") for n, spec in printed["services"].items()}
    assert names == {
        "web": f"shop-web-{colour}",
        "sidecar": f"shop-side-{colour}",
        "plain": f"plain-{colour}",
        "bridged": f"shop-bridged-{colour}",
        "api": None,
    }
    assert {key: volume["name"] for key, volume in printed["volumes"].items()} == {
        "cache": f"shop-cache-{colour}",
        "sessions": f"shop-{colour}_sessions",
        "named": f"shop-{colour}_named",
        "elsewhere": "elsewhere",
    }
    assert printed["services"]["plain"]["networks"] == {"default": {"aliases": ["plain"]}}
    assert printed["services"]["web"]["networks"]["back"] == {"aliases": ["site", "shop-web"], "priority": 3}
    assert printed["services"]["web"]["links"] == ["api:backend"]
    assert printed["services"]["web"]["extra_hosts"] == ["somewhere=10.1.2.3"]


def test_home_makes_the_networks_of_both_colours_and_is_found_there_as_ever(everything):
    home = everything.home
    for colour in COLOURS:
        assert home["networks"][f"slipway-{colour}-back"] == {
            "name": f"shop-{colour}_back",
            "driver": "bridge",
            "internal": True,
            "attachable": True,
            "enable_ipv6": False,
            "driver_opts": {"kept": "$$2"},
            "labels": {"team": "a$$b"},
        }
        assert home["networks"][f"slipway-{colour}-default"] == {"name": f"shop-{colour}_default"}
        joined = home["services"]["db"]["networks"][f"slipway-{colour}-back"]
        assert joined == {"aliases": ["pg$$1", "shop-db", "database"], "priority": -1}
        assert f"slipway-{colour}-vault" not in home["networks"]
    db = home["services"]["db"]
    assert db["networks"]["back"] == {"aliases": ["pg$$1"], "ipv4_address": "172.30.9.9"}
    assert (db["container_name"], published(db)) == ("shop-db", ["5432"])
    assert set(home["services"]["queue"]["networks"]) == {"default", "slipway-green-default", "slipway-blue-default"}
    assert home["services"]["agent"]["network_mode"] == "host"
    assert {volume["name"] for volume in home["volumes"].values()} == {"shop-rows", "shop_jobs"}


OTHERS = {
    "no data home": "services: {web: {image: x, container_name: web}, api: {image: x}}",
    "no colour": "services: {db: {image: x, x-slipway: {data: home}}}",
    "home on other networks": """
services:
  web: {image: x, networks: [front]}
  db: {image: x, networks: [back], x-slipway: {data: home}}
networks: {front: {}, back: {}}
""",
    "a key that ours would have": """
services:
  web: {image: x, networks: [n, slipway-green-n]}
  db: {image: x, networks: [n], x-slipway: {data: home}}
  cache: {image: x, networks: [slipway-green-n], x-slipway: {data: home}}
networks: {n: {}, slipway-green-n: {}}
""",
    "a name that looks like Compose's own": """
services: {web: {image: x, networks: [n], volumes: ["v:/v"]}}
networks: {n: {name: shop_n}}
volumes: {v: {name: shop_v}}
""",
    "a name made of a variable": """
services: {web: {image: x, networks: [n], volumes: ["v:/v"], container_name: "${COMPOSE_PROJECT_NAME}-web"}}
networks: {n: {name: "${COMPOSE_PROJECT_NAME}-net"}}
volumes: {v: {name: "${COMPOSE_PROJECT_NAME}-data"}}
""",
    "replicas by scale": "services: {web: {image: x, scale: 2, x-slipway: {expose: {host: a, port: 80}}}}",
}


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_other_stacks_are_kept_apart_too(tmp_path, text):
    projects = play(tmp_path, f"name: shop\n{text}")
    if "slipway-green-n" in text:
        assert len({n["name"] for n in projects.home["networks"].values()}) == 6
        for colour in COLOURS:
            assert external(projects.of(colour)) == {f"shop-{colour}_n", f"shop-{colour}_slipway-green-n"}
    else:
        assert_apart(projects)


def test_a_stack_of_included_files_is_kept_apart(tmp_path):
    write_files(tmp_path, {"db/compose.yaml": """
services:
  db: {image: x, networks: [back], volumes: ["rows:/r"], container_name: db1, x-slipway: {data: home}}
  cache: {image: x, networks: [back], volumes: ["hot:/h"], container_name: cache1, x-slipway: {data: disposable}}
networks: {back: {name: back}}
volumes: {rows: {name: rows}, hot: {name: hot}}
"""})  # fmt: skip
    projects = play(tmp_path, "name: shop\ninclude: [db/compose.yaml]\nservices: {web: {image: x, networks: [back]}}")
    assert_apart(projects)
    assert external(projects.green) == {"shop-green_back"}
    assert projects.green["volumes"]["hot"]["name"] == "hot-green"


def test_only_services_of_the_project_are_spoken_of(everything):
    facts = everything.facts
    assert set(colour_override(facts, stack="shop", colour="green", services=["plain"])["services"]) == {"plain"}
    assert set(home_override(facts, stack="shop", services=["queue"])["services"]) == {"queue"}
    assert home_override(facts, stack="shop", services=[]) == {}


def test_two_parts_of_an_override_count_both():
    one = {"services": {"a": {"x": 1}, "b": {"z": 1}}}
    other = {"services": {"a": {"y": 2}}, "volumes": {"v": {}}}
    assert together(one, other) == {"services": {"a": {"x": 1, "y": 2}, "b": {"z": 1}}, "volumes": {"v": {}}}
    assert together() == {}
    assert one == {"services": {"a": {"x": 1}, "b": {"z": 1}}}
