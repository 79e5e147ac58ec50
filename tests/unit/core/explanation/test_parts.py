"""What becomes of mounts, of env files, secrets and configs, and what gets a line of its own."""

import json

import pytest

from flows.core.explanation.contents import explain_contents
from flows.core.explanation.explain import explain
from flows.core.explanation.explanation import Refusal
from flows.core.explanation.includes import include_env_files
from flows.core.explanation.mounted import explain_mounts
from flows.core.explanation.reading import EnvFile, MountedContent
from flows.core.explanation.remarks import explain_differences, explain_promotion, explain_reach
from flows.core.stack.files.shipped_files import EnvironmentFile
from tests.support.stack.read_stack import DIRECTORY, FILE, read_stack_of

pytestmark = pytest.mark.unit


def bind(source: str, target: str = "/x", *, read_only: bool = False) -> dict:
    return {"type": "bind", "source": source, "target": target, "read_only": read_only}


def test_every_kind_of_mount_says_what_becomes_of_it():
    services = {
        "web": {
            "volumes": [
                bind(f"{DIRECTORY}/conf", "/c", read_only=True),
                bind(f"{DIRECTORY}/data", "/d"),
                bind("/var/run/docker.sock", "/s"),
                {"type": "volume", "source": "rows", "target": "/r"},
                {"type": "volume", "source": "given", "target": "/g"},
                {"type": "volume", "target": "/nameless"},
                {"type": "tmpfs", "target": "/tmp"},
            ]
        },
        "job": {"volumes": [bind(f"{DIRECTORY}/conf", "/conf", read_only=True)]},
    }
    top = {"volumes": {"rows": {"name": "shop_rows"}, "given": {"external": True, "name": "given"}}}
    text = "a: [./conf:/c:ro, ./data:/d, /var/run/docker.sock:/s]"
    mounted = {f"{DIRECTORY}/conf": MountedContent(12, 34_100), f"{DIRECTORY}/data": MountedContent()}
    found = {one.fate: one for one in explain_mounts(read_stack_of(services, text, top=top, mounted=mounted))}
    assert list(found) == ["ships", "shared", "droplet", "volume", "external volume", "anonymous volume", "memory"]
    assert (found["ships"].source, found["ships"].what) == ("conf", "ships with the release: 12 files (34.1 kB)")
    assert found["ships"].mounted == {"job": "/conf", "web": "/c"}
    assert (found["shared"].source, found["droplet"].source) == ("data", "/var/run/docker.sock")
    assert "anything on the droplet" in found["droplet"].what
    assert "docker volume create" in found["external volume"].what


def test_what_does_not_ship_with_a_mount_is_named_beside_it():
    left = {f"{DIRECTORY}/conf/log": "git ignores it", f"{DIRECTORY}/conf/tmp": "git ignores it"}
    mounted = {f"{DIRECTORY}/conf": MountedContent(1, 10, (f"{DIRECTORY}/conf/.env",), left)}
    services = {"web": {"volumes": [bind(f"{DIRECTORY}/conf", "/c", read_only=True)]}}
    [mount] = explain_mounts(read_stack_of(services, "a: [./conf:/c:ro]", mounted=mounted))
    assert (mount.files, mount.size) == (1, 10)
    assert mount.notes == (
        "conf/.env: by the environment block, not with it", "conf/log, conf/tmp: left out, git ignores it",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rules", "said", "notes"),
    [
        ({}, "a file that both have changed: the service's version stays", ()),
        (
            {"./data": "take"},
            "what services write there stays",
            ("a file that both have changed: the release's version is taken (x-slipway.mounts)",),
        ),
        (
            {"./data/a": "refuse"},
            "a file that both have changed: the service's version stays",
            ("a file that both have changed in data/a: the release is refused (x-slipway.mounts)",),
        ),
    ],
)
def test_a_written_directory_is_the_repositorys_and_the_services(rules, said, notes):
    services = {"web": {"volumes": [bind(f"{DIRECTORY}/data", "/d")], "x-slipway": {"mounts": rules}}}
    mounted = {f"{DIRECTORY}/data": MountedContent(2, 10)}
    [mount] = explain_mounts(read_stack_of(services, "a: [./data:/d]", mounted=mounted))
    assert mount.fate == "shared"
    assert mount.what.startswith("the repository's and the service's: the release brings 2 files (10 bytes); ")
    assert mount.what.endswith(f"; {said}")
    assert mount.notes == notes


def test_a_mount_whose_files_cannot_be_told_has_no_number():
    services = {"web": {"volumes": [bind(f"{DIRECTORY}/conf", "/c", read_only=True), bind(f"{DIRECTORY}/data", "/d")]}}
    ships, shared = explain_mounts(read_stack_of(services, "a: [./conf:/c:ro, ./data:/d]"))
    assert ships.what == "ships with the release"
    assert "the release brings what the repository has there" in shared.what


def test_a_mounted_env_file_is_the_environment_blocks():
    services = {"web": {"volumes": [bind(f"{DIRECTORY}/.env", "/x", read_only=True)]}}
    environment = (EnvironmentFile(path=f"{DIRECTORY}/.env"),)
    [mount] = explain_mounts(read_stack_of(services, "a: [./.env:/x:ro]", environment=environment))
    assert (mount.source, mount.fate) == (".env", "given")


def test_a_volume_on_the_compose_files_directory_is_refused():
    top = {"volumes": {"all": {"name": "x", "driver_opts": {"type": "none", "o": "bind", "device": DIRECTORY}}}}
    services = {"web": {"volumes": [{"type": "volume", "source": "all", "target": "/a"}]}}
    [mount] = explain_mounts(read_stack_of(services, top=top, astray=frozenset({DIRECTORY})))
    assert (mount.source, mount.fate) == (".", "refused")


def test_a_mount_that_cannot_be_placed_is_refused():
    services = {"web": {"volumes": [bind("/other", "/app")]}}
    [mount] = explain_mounts(read_stack_of(services, "a: [/other:/app]", astray=frozenset({"/other"})))
    assert (mount.fate, mount.what.split(":")[0]) == ("refused", "refused")


def test_every_kind_of_content_says_where_it_comes_from():
    services = {
        "web": {"secrets": ["file", "variable", "mine"], "configs": ["inline", "shipped"]},
        "api": {"build": {"context": "/p/s", "secrets": [{"source": "ca"}]}},
    }
    top = {
        "secrets": {
            "file": {"file": f"{DIRECTORY}/token"},
            "variable": {"environment": "KEY"},
            "mine": {"file": "/etc/mine"},
            "ca": {"file": "/etc/ca.crt"},
        },
        "configs": {"inline": {"content": "secret words"}, "shipped": {"file": f"{DIRECTORY}/motd"}},
    }
    text = "a: [./token, /etc/mine, ./motd]"
    env_files = [
        EnvFile(f"{DIRECTORY}/.env", ("A", "B"), interpolates=True),
        EnvFile(f"{DIRECTORY}/web.env", None, services=("web",)),
        EnvFile(f"{DIRECTORY}/more.env", None, required=False, services=("web",)),
        EnvFile("/etc/host.env", None, services=("web",), on_droplet=True),
    ]
    found = {one.name: one for one in explain_contents(read_stack_of(services, text, top=top, env_files=env_files))}
    assert found[".env"].source == "the environment block (2 variables here, for the compose files)"
    assert (found["web.env"].source, found["more.env"].source) == ("not here", "not here, and not required")
    assert found["/etc/host.env"].source.startswith("the droplet's own")
    assert found["file"].source == "token, by the environment block"
    assert found["variable"].source == "variable KEY, which .env does not set"
    assert found["mine"].source == "/etc/mine, the droplet's own"
    assert found["ca"].source == "/etc/ca.crt, of this host: it reaches no droplet"
    assert (found["ca"].services, found["ca"].builds) == ((), ("api",))
    assert found["inline"].source == "its content stands in the compose file"
    assert found["shipped"].source == "motd, ships with the release"


def test_ports_and_networks_are_told_where_they_are_special():
    services = {
        "web": {"ports": [
            {"target": 80, "published": "8080", "protocol": "tcp"},
            {"target": 81, "published": "81", "host_ip": "127.0.0.1", "protocol": "udp"},
            {"target": 82}, {"target": 83, "published": "83", "host_ip": "10.0.0.4"},
        ]},
        "side": {"network_mode": "service:web"}, "top": {"network_mode": "host"},
    }  # fmt: skip
    top = {"networks": {"default": {"name": "shop_default"}, "edge": {"external": True, "name": "edge"}}}
    found = [(one.subject, one.text) for one in explain_reach(read_stack_of(services, top=top))]
    assert found == [
        ("network edge", "not the stack's: must be on the droplet (docker network create edge)"),
        ("side", "network_mode service:web: uses the network of web, and starts anew with it"),
        ("top", "network_mode host: it is on the droplet's own network, and so are its ports"),
        ("web", "port 80 as 8080 on every address of the droplet"),
        ("web", "port 81/udp as 81/udp on the droplet's loopback alone"),
        ("web", "port 82 on a free port of the droplet"),
        ("web", "port 83 as 83 on 10.0.0.4 of the droplet"),
    ]


def test_differences_are_those_that_concern_the_stack():
    plain = [one.subject for one in explain_differences(read_stack_of({"web": {}}), (), ())]
    services = {"web": {"build": {"context": "/p/s"}, "volumes": [bind(f"{DIRECTORY}/data")], "develop": {"watch": []}}}
    read = read_stack_of(
        services, "a: [./data:/x]", environment=(EnvironmentFile(path=f"{DIRECTORY}/t", secret=True),),
        variables={"IMAGE_TAG": "x", "COMPOSE_PARALLEL_LIMIT": "1"},
    )  # fmt: skip
    full = [one.subject for one in explain_differences(read, (), ["compose.override.yaml"])]
    assert plain == ["images", "labels"]
    assert full == [
        "images", "builds", "compose.override.yaml", "IMAGE_TAG", "COMPOSE_PARALLEL_LIMIT", "secret files",
        "written paths", "develop", "labels",
    ]  # fmt: skip


def test_a_promotion_asks_where_state_lives_and_says_what_is_at_home():
    services = {
        "db": {"volumes": [{"type": "volume", "source": "rows", "target": "/r"}]},
        "home": {"x-slipway": {"data": "home"}},
        "web": {"depends_on": {"home": {"condition": "service_started"}}},
    }
    written = {**services, "web": {**services["web"], "profiles": ["p"]}}
    found = [
        (one.subject, one.text.split(" ")[0]) for one in explain_promotion(read_stack_of(services, written=written))
    ]
    assert found == [
        ("db", "x-slipway.data,"),
        ("x-slipway.data", "says"),
        ("home", "runs"),
        ("web", "finds"),
        ("web", "cannot"),
    ]
    assert list(explain_promotion(read_stack_of({"web": {}}))) == []


def test_includes_have_their_own_env_files_and_those_of_who_includes_them():
    texts = {
        FILE: "include: [a/compose.yaml, {path: [b/one.yaml, b/two.yaml], env_file: ['${E}.env']}]",
        f"{DIRECTORY}/a/compose.yaml": "include: [{path: ../c/compose.yaml, project_directory: ../d}]",
        f"{DIRECTORY}/b/one.yaml": "services: {}", f"{DIRECTORY}/b/two.yaml": "services: {}",
        f"{DIRECTORY}/c/compose.yaml": "services: {}",
    }  # fmt: skip
    assert include_env_files(texts, lambda text: text.replace("${E}", "x")) == {
        f"{DIRECTORY}/a/compose.yaml": (f"{DIRECTORY}/a/.env",),
        f"{DIRECTORY}/b/one.yaml": (f"{DIRECTORY}/x.env",),
        f"{DIRECTORY}/b/two.yaml": (f"{DIRECTORY}/x.env",),
        f"{DIRECTORY}/c/compose.yaml": (f"{DIRECTORY}/a/.env", f"{DIRECTORY}/d/.env"),
    }


def test_an_explanation_is_json_and_is_masked_in_every_part():
    read = read_stack_of({"web": {"image": "x:hunter2"}}, variables={"A": "hunter2"})
    whole = explain(read, [Refusal("BrokenStack", "says hunter2")], named_by="x", hints=["hunter2"])
    assert not whole.accepted
    masked = whole.masked(lambda text: text.replace("hunter2", "••••"))
    assert "hunter2" not in json.dumps(masked.as_json())
    assert masked.as_json()["services"][0]["image"] == "x:••••"
    assert masked.as_json()["accepted"] is False
