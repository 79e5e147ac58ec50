"""A stack is what `docker compose config` says, read into plain facts."""

import pytest

from flows.core.errors import BadExtension, UnknownService
from flows.core.stack.service_fields import SecretMount
from flows.core.stack.stack import Mount, Stack, inside
from tests.support.builders import stack

pytestmark = pytest.mark.unit


def web(**spec):
    """The one service of a stack, read."""
    return stack({"web": spec}).services["web"]


def test_a_service_without_an_image_is_named_as_compose_names_it():
    assert Stack.from_config({"name": "shop", "services": {"web": {}}}).services["web"].image == "shop-web"


def test_doubled_dollars_are_read_as_one():
    service = web(environment={"PRICE": "5$$", "NONE": None}, command=["echo", "$$HOME"])
    assert service.environment == {"PRICE": "5$"}
    assert service.words == ("echo", "$HOME")


def test_mounts_are_read_with_their_kind():
    service = web(
        volumes=[
            {"type": "bind", "source": "/etc/app", "target": "/etc/app", "read_only": True},
            {"type": "volume", "source": "data", "target": "/data"},
            {"type": "volume", "target": "/anonymous"},
            {"type": "tmpfs", "target": "/tmp"},
        ]
    )
    assert service.mounts == (
        Mount("bind", "/etc/app", "/etc/app", True),
        Mount("volume", "data", "/data", False),
        Mount("volume", "", "/anonymous", False),
        Mount("tmpfs", "", "/tmp", False),
    )


@pytest.mark.parametrize(
    ("spec", "port"),
    [
        ({"ports": [{"target": 8000, "published": "80"}]}, 8000),
        ({"expose": ["8000"]}, 8000),
        ({"ports": [{"target": 8000}], "expose": ["8000/tcp"]}, 8000),
        ({"ports": [{"target": 53, "protocol": "udp"}, {"target": 8000}]}, 8000),
        ({"ports": [{"target": 8000}, {"target": 9000}]}, None),
        ({"ports": [{"target": 8000}, {"target": 9000}], "x-slipway": {"port": 9000}}, 9000),
        ({"expose": ["8000-8010"]}, None),
        ({}, None),
    ],
)
def test_the_port_to_probe_is_the_one_named_or_the_only_one(spec, port):
    assert web(**spec).probe_port == port


@pytest.mark.parametrize(
    ("ports", "words"), [([], "no ports"), ([{"target": 1}, {"target": 2}], "2 ports")], ids=["none", "two"]
)
def test_a_probe_without_a_port_is_refused(ports, words):
    with pytest.raises(BadExtension, match=rf"service web: x-slipway\.port: needed.*{words}"):
        web(ports=ports, **{"x-slipway": {"health": "/"}})


@pytest.mark.parametrize(
    ("spec", "restart", "one_shot"),
    [
        ({}, "", True),
        ({"restart": "no"}, "no", True),
        ({"restart": "on-failure:3"}, "on-failure:3", True),
        ({"restart": "always"}, "always", False),
        ({"restart": "unless-stopped"}, "unless-stopped", False),
        ({"deploy": {"restart_policy": {"condition": "any"}}}, "always", False),
        ({"deploy": {"restart_policy": {"condition": "none"}}}, "no", True),
        ({"deploy": {"restart_policy": {"condition": "unless-stopped"}}}, "unless-stopped", False),
        ({"deploy": {"restart_policy": {"condition": "on-failure", "max_attempts": 2}}}, "on-failure", True),
        ({"deploy": {"restart_policy": {"delay": "5s"}}}, "", True),
        ({"restart": "no", "deploy": {"restart_policy": {"condition": "any"}}}, "no", True),
    ],
)
def test_what_nothing_restarts_may_end_well(spec, restart, one_shot):
    shop = stack({"web": spec})
    assert shop.services["web"].restart == restart
    assert ("web" in shop.one_shots) is one_shot


def test_what_others_wait_for_may_end_well_whatever_its_restart_policy():
    waits = {"depends_on": {"job": {"condition": "service_completed_successfully"}}, "restart": "always"}
    shop = stack({"web": waits, "job": {"restart": "always"}})
    assert shop.awaited_to_complete == {"job"}
    assert shop.one_shots == {"job"}


@pytest.mark.parametrize(
    ("spec", "replicas"),
    [
        *(({}, 1), ({"scale": 3}, 3), ({"deploy": {"replicas": 2}}, 2), ({"scale": 0}, 0), ({"deploy": {}}, 1)),
        *(({"deploy": {"replicas": 0}}, 0), ({"deploy": {"mode": "global"}}, 1)),
    ],
)
def test_replicas_are_counted(spec, replicas):
    assert web(**spec).replicas == replicas


@pytest.mark.parametrize(
    ("entry", "mode"),
    [
        ("key", None),
        ({"source": "key"}, None),
        ({"source": "key", "mode": "0440"}, 0o440),
        ({"source": "key", "mode": 288}, 0o440),
    ],
)
def test_a_secret_carries_the_mode_it_asks_for(entry, mode):
    assert web(secrets=[entry]).secrets == (SecretMount("key", "/run/secrets/key", mode),)


def test_a_secret_that_is_given_twice_is_two_mounts_of_one():
    service = web(secrets=["key", {"source": "key", "target": "/etc/key", "mode": "0400"}])
    assert service.secrets == (SecretMount("key", "/run/secrets/key"), SecretMount("key", "/etc/key", 0o400))
    assert service.secret_names == ("key",)


def test_where_secrets_and_configs_come_from_is_known_by_name():
    configs = {"c": {"file": "/s/c"}, "inline": {"content": "5$$"}, "e": {"environment": "Y"}, "empty": {"content": ""}}
    shop = stack({}, secrets={"key": {"file": "/s/key"}, "e": {"environment": "X"}}, configs=configs)
    assert (shop.secret_files, shop.config_files) == ({"key": "/s/key"}, {"c": "/s/c"})
    assert (shop.secret_variables, shop.config_variables) == ({"e": "X"}, {"e": "Y"})
    assert shop.config_contents == {"inline": "5$", "empty": ""}


def test_a_service_that_is_switched_off_is_waited_for_by_nobody():
    off = {"job": {"condition": "service_completed_successfully", "required": False}}
    shop = stack({"web": {"depends_on": {**off, "db": {"condition": "service_started"}}}, "db": {}})
    assert shop.services["web"].depends_on == {"db": "service_started"}
    assert shop.awaited_to_complete == frozenset()


def test_a_service_without_a_network_cannot_be_probed():
    with pytest.raises(BadExtension, match=r"service web: x-slipway: it has no network \(network_mode: none\)"):
        web(network_mode="none", **{"x-slipway": {"port": 80, "health": "/"}})


@pytest.mark.parametrize(
    ("said", "host"),
    [({"port": 8000}, "localhost:8000"), ({"port": 8000, "host": "shop.example.com"}, "shop.example.com")],
)
def test_probes_are_asked_as_localhost_or_as_the_host_that_is_named(said, host):
    assert web(**{"x-slipway": said}).probe_host == host


def test_services_are_picked_by_name_and_all_when_none_is_named():
    shop = stack({"web": {}, "db": {}})
    assert [service.name for service in shop.pick(("db",))] == ["db"]
    assert [service.name for service in shop.pick(())] == ["web", "db"]


def test_an_unknown_service_is_refused_with_those_there_are():
    with pytest.raises(UnknownService, match=r"stack shop has no service wbe\. Its services: db, web"):
        stack({"web": {}, "db": {}}).pick(("web", "wbe"))


@pytest.mark.parametrize(
    ("path", "directory", "expected"), [("/a/b", "/a", True), ("/a", "/a", True), ("/ab", "/a", False)]
)
def test_a_path_lies_inside_a_directory_by_its_parts(path, directory, expected):
    assert inside(path, directory) is expected


@pytest.mark.parametrize(
    ("spec", "limit"),
    [
        ({}, 0),
        ({"deploy": {"resources": {"limits": {"memory": "536870912"}}}}, 536870912),
        ({"mem_limit": 1024}, 1024),
        ({"mem_limit": "1.5g"}, 1610612736),
        ({"mem_limit": "64MB"}, 67108864),
        ({"mem_limit": "much"}, 0),
        ({"deploy": {"resources": {"limits": None}}}, 0),
    ],
)
def test_the_memory_that_a_service_may_use_is_in_bytes(spec, limit):
    assert stack({"web": spec}).services["web"].memory == limit
