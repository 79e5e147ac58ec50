"""The compose file ships nothing of development, and a release restarts only what changed."""

import pytest
import yaml

from tests.support.sample_in_process import COMPOSE, COMPOSE_DIR, SERVICES, module

pytestmark = pytest.mark.unit

OVERRIDE = yaml.safe_load((COMPOSE_DIR / "docker-compose.override.yml").read_text())
PORTS = {
    "gateway-mcp": 8000,
    "orchestrator": 8001,
    "feature-dev": 8002,
    "code-review": 8003,
    "infrastructure": 8004,
    "cicd": 8005,
    "documentation": 8006,
    "rag-context": 8007,
    "state-persistence": 8008,
}


def test_the_stack_has_its_nine_services():
    assert sorted(PORTS) == SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_a_published_image_built_from_its_own_module(service):
    it = COMPOSE["services"][service]
    assert it["image"] == f"${{REGISTRY:?}}/{service}:${{IMAGE_TAG:?}}"
    assert it["build"]["args"] == {"MODULE": service.replace("-", "_"), "PORT": PORTS[service]}
    assert module(service).agent.name == service


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_but_the_image_changes_with_the_tag(service):
    it = COMPOSE["services"][service]
    assert "IMAGE_TAG" not in yaml.safe_dump({key: value for key, value in it.items() if key != "image"})


@pytest.mark.parametrize("service", SERVICES)
def test_the_production_form_mounts_no_source_and_never_reloads(service):
    it = COMPOSE["services"][service]
    assert all(mount.split(":")[0] in COMPOSE["volumes"] for mount in it.get("volumes", []))
    assert "command" not in it
    assert "reload" not in yaml.safe_dump(it)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_publishes_its_port_on_loopback_unless_told_otherwise(service):
    port = PORTS[service]
    assert COMPOSE["services"][service]["ports"] == [f"${{BIND_ADDRESS:-127.0.0.1}}:{port}:{port}"]


def test_the_peers_are_called_where_they_listen():
    peers = module("orchestrator").Peers.call.__globals__["PORTS"]
    assert peers == {name: port for name, port in PORTS.items() if name != "gateway-mcp"}


def test_what_keeps_data_says_where_it_lives():
    keepers = {name for name, it in COMPOSE["services"].items() if it.get("volumes")}
    assert keepers == {name for name, it in COMPOSE["services"].items() if it["x-slipway"].get("data") == "home"}


def test_the_override_is_for_every_service_and_only_for_development():
    assert sorted(OVERRIDE["services"]) == SERVICES
    for it in OVERRIDE["services"].values():
        assert it["command"][-1] == "--reload"
        assert it["volumes"] == ["./agents:/app/agents:ro"]
