"""What must be true of every container of the lab, and of the files around it."""

import json
import re

import pytest
import yaml

from tests import CHECKOUT

pytestmark = pytest.mark.unit
LAB = yaml.safe_load((CHECKOUT / "compose/lab/docker-compose.yml").read_text())
SERVICES = LAB["services"]
OURS = {"dev.slipway.lab": "true"}
MACHINES = {"green": 2201, "blue": 2202, "edge": 2203, "data": 2204}


@pytest.mark.parametrize("name", SERVICES)
def test_it_is_published_on_loopback_only(name):
    assert all(str(port).startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


@pytest.mark.parametrize("name", SERVICES)
def test_it_carries_the_label_by_which_it_is_removed_again(name):
    assert SERVICES[name]["labels"] == OURS


@pytest.mark.parametrize("name", SERVICES)
def test_it_does_not_come_back_by_itself_after_the_lab_is_gone(name):
    assert SERVICES[name]["restart"] == "no"


@pytest.mark.parametrize("name", SERVICES)
def test_it_says_when_it_is_ready(name):
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("kind", ["volumes", "networks"])
def test_volumes_and_networks_carry_the_label_too(kind):
    assert LAB[kind]
    assert all(entry["labels"] == OURS for entry in LAB[kind].values())


@pytest.mark.parametrize("name", MACHINES)
def test_what_is_reached_by_ssh_has_its_port_its_key_and_a_host_key_that_stays(name):
    it = SERVICES[name]
    assert f"127.0.0.1:${{SLIPWAY_LAB_{name.upper()}_SSH_PORT:-{MACHINES[name]}}}:22" in it["ports"]
    assert it["hostname"] == name
    assert it["networks"]["lab"]["aliases"] == [f"slipway-lab-{name}"]
    mounted = dict(volume.split(":")[:2] for volume in it["volumes"] if not volume.startswith("$"))
    assert "/var/lib/droplet" in mounted.values()
    assert set(mounted) <= set(LAB["volumes"])
    assert any(volume.endswith("droplet_key.pub:/etc/slipway/authorized_keys:ro") for volume in it["volumes"])


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_made_anew_is_told_to_prefect_again(name):
    told = (CHECKOUT / "compose/lab/deployments.sh").read_text()
    keys = re.search(r"\{([\w,]+)\}\.host_key", told)
    assert name in keys[1].split(",")
    assert f"$SLIPWAY_LAB_{name.upper()}_SSH_PORT" in told
    assert (
        f"SLIPWAY_LAB_{name.upper()}_SSH_PORT:-{MACHINES[name]}}}" in (CHECKOUT / "compose/lab/common.sh").read_text()
    )


def test_the_edge_is_shipped_with_one_colour_in_one_line():
    assert json.loads((CHECKOUT / "compose/lab/edge/green").read_text()) == {"by": "lab"}
    assert (CHECKOUT / "compose/lab/edge/green").read_text().count("\n") == 1
    assert "COPY edge/green /var/lib/slipway-edge/" in (CHECKOUT / "compose/lab/Dockerfile").read_text()


def test_the_edges_other_configuration_has_a_handler_with_a_name():
    admin = json.loads((CHECKOUT / "compose/lab/edge/admin.json").read_text())
    (server,) = admin["apps"]["http"]["servers"].values()
    (handler,) = server["routes"][0]["handle"]
    assert (admin["admin"]["listen"], server["listen"]) == ("localhost:2019", [":8080"])
    assert handler == {
        "@id": "slipway",
        "handler": "reverse_proxy",
        "upstreams": [{"dial": "slipway-lab-green:8000"}],
    }


def test_every_service_of_the_sample_is_scraped_where_it_runs():
    sample = yaml.safe_load((CHECKOUT / "compose/docker-compose.yml").read_text())["services"]
    scrape = yaml.safe_load((CHECKOUT / "compose/lab/prometheus/prometheus.yml").read_text())["scrape_configs"][0]
    scraped = {group["labels"]["service"]: group for group in scrape["static_configs"]}
    assert scraped == {name: scraped_as(name, service) for name, service in sample.items()}


def scraped_as(name, service):
    port = str(service["ports"][0]).rsplit(":", 1)[1]
    if service["x-slipway"].get("data") == "home":
        return {"labels": {"service": name, "colour": "home"}, "targets": [f"slipway-lab-data:{port}"]}
    return {"labels": {"service": name}, "targets": [f"slipway-lab-{colour}:{port}" for colour in ("green", "blue")]}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_file_holds_hashes_and_no_address(lock):
    text = (CHECKOUT / lock).read_text()
    pins = re.findall(r"^\S+==\S+.*\\$", text, re.M)
    assert len(pins) > 50
    assert text.count("--hash=sha256:") >= len(pins)
    assert not re.search(r"://|--(extra-)?index-url|--find-links|/dev/fd", text)


def test_both_lock_files_agree():
    def pins(name):
        return set(re.findall(r"^(\S+==[^\s;]+)", (CHECKOUT / name).read_text(), re.M))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")
