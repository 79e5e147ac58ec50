"""What must be true of every container of the lab, and of the files around it."""

import re
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[2]
LAB = yaml.safe_load((ROOT / "compose/lab/docker-compose.yml").read_text())
SERVICES = LAB["services"]
OURS = {"dev.slipway.lab": "true"}


@pytest.mark.parametrize("name", SERVICES)
def test_it_is_published_on_loopback_only(name):
    assert all(str(port).startswith("127.0.0.1:") for port in SERVICES[name]["ports"])


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


def test_every_service_of_the_sample_is_scraped_on_both_droplets():
    sample = yaml.safe_load((ROOT / "compose/docker-compose.yml").read_text())["services"]
    published = {name: str(service["ports"][0]).rsplit(":", 1)[1] for name, service in sample.items()}
    scrape = yaml.safe_load((ROOT / "compose/lab/prometheus/prometheus.yml").read_text())["scrape_configs"][0]
    scraped = {group["labels"]["service"]: group["targets"] for group in scrape["static_configs"]}
    assert scraped == {
        name: [f"slipway-lab-{colour}:{port}" for colour in ("green", "blue")] for name, port in published.items()
    }


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_file_holds_hashes_and_no_address(lock):
    text = (ROOT / lock).read_text()
    pins = re.findall(r"^\S+==\S+.*\\$", text, re.M)
    assert len(pins) > 50
    assert text.count("--hash=sha256:") >= len(pins)
    assert not re.search(r"://|--(extra-)?index-url|--find-links|/dev/fd", text)


def test_both_lock_files_agree():
    def pins(name):
        return set(re.findall(r"^(\S+==[^\s;]+)", (ROOT / name).read_text(), re.M))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")
