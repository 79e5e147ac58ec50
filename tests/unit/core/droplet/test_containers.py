"""What the engine says of containers, read into facts."""

import json
from datetime import UTC, datetime

import pytest

from flows.core.droplet.containers import Healthcheck, by_service, read_containers
from tests.support.builders import container

pytestmark = pytest.mark.unit


def inspected(**more) -> dict:
    """One entry of `docker inspect`, as Engine 26 prints it, shortened."""
    given = {
        "Id": "abc",
        "Name": "/shop-web-1",
        "Image": "sha256:image",
        "RestartCount": 2,
        "State": {
            "Status": "running",
            "OOMKilled": False,
            "ExitCode": 0,
            "Error": "",
            "StartedAt": "2026-05-04T12:00:00.123456789Z",
            "Health": {"Status": "unhealthy", "Log": [{"Output": "old"}, {"Output": "refused\n"}]},
        },
        "Config": {
            "Image": "host/web@sha256:1",
            "Labels": {"com.docker.compose.service": "web"},
            "Healthcheck": {"Test": ["CMD", "true"], "Interval": 2_000_000_000, "StartPeriod": 500_000_000},
        },
        "NetworkSettings": {"Networks": {"a": {"IPAddress": ""}, "b": {"IPAddress": "172.18.0.5"}}},
        "HostConfig": {"NetworkMode": "shop_default"},
    }
    return {**given, **more}


def read(**more):
    [found] = read_containers(json.dumps([inspected(**more)]))
    return found


def test_a_container_is_read():
    found = read()
    assert (found.id, found.name, found.service, found.image_id) == ("abc", "shop-web-1", "web", "sha256:image")
    assert (found.state, found.health, found.restarts, found.last_words) == ("running", "unhealthy", 2, "refused")
    assert found.address == "172.18.0.5"
    assert found.started == datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
    assert found.healthcheck == Healthcheck(interval=2, timeout=30, retries=3, start_period=0.5)


def test_nothing_is_no_containers():
    assert read_containers("") == read_containers("\n") == read_containers("[]") == []


def test_where_volumes_without_a_name_are_mounted_is_known():
    mounts = [
        {"Type": "volume", "Name": "0f" * 32, "Destination": "/rows"},
        {"Type": "volume", "Name": "shop_data", "Destination": "/data"},
        {"Type": "bind", "Source": "/etc", "Destination": "/etc"},
        {"Type": "volume", "Name": "ab" * 32, "Destination": "/a"},
    ]
    assert read(Mounts=mounts).nameless == (("/a", "ab" * 32), ("/rows", "0f" * 32))
    assert read(Mounts=None).nameless == ()


@pytest.mark.parametrize(
    ("mode", "address"), [("host", "127.0.0.1"), ("none", ""), ("container:abc", ""), ("container:gone", "")]
)
def test_a_container_without_a_network_of_its_own_has_that_ones_address(mode, address):
    networks = {} if mode != "none" else {"none": {"IPAddress": ""}}
    assert read(HostConfig={"NetworkMode": mode}, NetworkSettings={"Networks": networks}).address == address


def test_a_network_whose_owner_does_not_run_has_no_address():
    owner = inspected(Id="vpn", State={"Status": "exited"})
    mine = inspected(HostConfig={"NetworkMode": "container:vpn"})
    assert [c.address for c in read_containers(json.dumps([mine]) + "\n" + json.dumps([owner]))] == [""]


def test_containers_come_in_the_order_of_their_names():
    entries = [inspected(Name=f"/shop-web-{number}") for number in (2, 1)]
    assert [c.name for c in read_containers(json.dumps(entries))] == ["shop-web-1", "shop-web-2"]


@pytest.mark.parametrize(
    "healthcheck", [None, {}, {"Test": None}, {"Test": ["NONE"], "Interval": 5}], ids=["none", "empty", "null", "off"]
)
def test_a_container_may_have_no_healthcheck(healthcheck):
    config = {**inspected()["Config"], "Healthcheck": healthcheck}
    assert read(Config=config).healthcheck is None


def test_a_container_that_was_never_started_has_no_start_and_says_why():
    state = {"Status": "created", "StartedAt": "0001-01-01T00:00:00Z", "Error": "port is taken", "ExitCode": 128}
    found = read(State=state)
    assert (found.started, found.health, found.last_words) == (None, "none", "port is taken")


@pytest.mark.parametrize(
    ("mode", "networks", "address"),
    [("host", {"host": {"IPAddress": ""}}, "127.0.0.1"), ("none", {}, ""), ("x", {"x": {"IPAddress": None}}, "")],
)
def test_a_container_is_reached_where_it_listens(mode, networks, address):
    assert read(HostConfig={"NetworkMode": mode}, NetworkSettings={"Networks": networks}).address == address


def test_a_container_of_nobodys_stack_goes_by_its_name():
    assert read(Config={"Image": "x", "Labels": None}).service == "shop-web-1"


def test_an_engine_has_a_verdict_within_start_period_and_retries():
    assert Healthcheck(interval=2, timeout=1, retries=3, start_period=10).longest == 22


def test_replicas_stand_together_and_one_off_containers_apart():
    one_off = container("web", labels=(("com.docker.compose.oneoff", "True"),))
    grouped = by_service([container("web"), one_off, container("db"), container("web", name="shop-web-2")])
    assert {name: [c.name for c in mine] for name, mine in grouped.items()} == {
        "web": ["shop-web-1", "shop-web-2"],
        "db": ["shop-db-1"],
    }
