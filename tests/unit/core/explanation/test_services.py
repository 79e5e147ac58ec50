"""What becomes of each service."""

import pytest

from flows.core.explanation.reading import EnvFile
from flows.core.explanation.services import explain_services, read_services, switched_off
from flows.core.explanation.variables import explain_variables
from tests.support.stack.read_stack import DIRECTORY, read_stack_of

pytestmark = pytest.mark.unit


def explained(services: dict, text: str = "services: {}", /, **more):
    read = read_stack_of(services, text, **more)
    return {one.name: one for one in explain_services(read, explain_variables(read))}


def test_an_image_is_built_under_a_name_or_comes_from_elsewhere():
    found = explained({"api": {"build": {"context": f"{DIRECTORY}/api"}}, "db": {"image": "postgres:16"}})
    assert (found["api"].published_as, found["db"].published_as) == ("REGISTRY/api:TAG", "")
    assert found["db"].image == "postgres:16"


def test_an_image_is_shown_as_it_is_written_for_its_variables_may_be_secret():
    assert explained({"db": {"image": "x:16"}}, written={"db": {"image": "x:$V"}})["db"].image == "x:$V"


def test_what_restarts_a_service_is_named():
    services = {
        "web": {
            "environment": {"A": "$A", "B": "${B:-1}"},
            "volumes": [{"type": "bind", "source": f"{DIRECTORY}/conf", "target": "/c", "read_only": True}],
            "secrets": ["token", "key"],
            "configs": ["motd"],
            "depends_on": {"db": {"condition": "service_started", "restart": True}},
        },
        "db": {},
    }
    top = {
        "secrets": {"token": {"file": f"{DIRECTORY}/token"}, "key": {"environment": "KEY"}},
        "configs": {"motd": {"content": "hello"}},
    }
    env_files = [
        EnvFile(f"{DIRECTORY}/web.env", ("X",), services=("web",)),
        EnvFile("/etc/o.env", None, services=("web",), on_droplet=True),
    ]
    text = "services: {web: {volumes: ['./conf:/c:ro']}}\nsecrets: {token: {file: ./token}}"
    web = explained(services, text, top=top, env_files=env_files, variables={"A": "1", "KEY": "k"})["web"]
    assert (web.variables, web.files, web.environment_files) == (("A", "KEY"), ("conf",), ("web.env",))
    assert (web.secrets, web.configs, web.services) == (("key", "token"), ("motd",), ("db",))


def test_the_tag_beside_the_image_restarts_a_service_at_every_release():
    spec = {"image": "x", "build": {"context": "/p/s"}, "labels": {"v": "x"}}
    written = {"web": {**spec, "image": "$REGISTRY/x:$IMAGE_TAG", "labels": {"v": "$IMAGE_TAG"}}}
    assert explained({"web": spec}, written=written)["web"].every_release == ("IMAGE_TAG",)
    assert explained({"web": spec}, written={"web": {**written["web"], "labels": {}}})["web"].every_release == ()


def test_probes_replicas_and_profiles_are_told():
    extension = {
        "port": 80,
        "health": "/up",
        "mcp": {"path": "/mcp", "tools": ["a"]},
        "workflow": {"post": "/ask", "expect": "x"},
    }
    spec = {"x-slipway": extension, "deploy": {"replicas": 3}}
    web = explained(
        {"web": spec}, written={"web": {**spec, "profiles": ["p", "q"]}}, profiles={"p": "COMPOSE_PROFILES in .env"}
    )["web"]
    assert (web.replicas, web.profiles) == (3, ("p, by COMPOSE_PROFILES in .env",))
    assert web.probes == (
        "GET /up on port 80",
        "MCP at /mcp on port 80: at least 1 tools, tools a",
        "workflow POST /ask on port 80, answer holds x",
    )


def test_what_is_not_probed_says_how_it_is_waited_for():
    services = {
        "checked": {"healthcheck": {"test": ["CMD", "true"]}, "restart": "always"},
        "unchecked": {"healthcheck": {"disable": True}, "restart": "always"},
        "job": {},
        "migrate": {},
        "web": {"restart": "always", "depends_on": {"migrate": {"condition": "service_completed_successfully"}}},
    }
    found = {name: one.ready for name, one in explained(services, readiness_delay=3.0).items()}
    assert found["checked"] == "ready when its healthcheck passes"
    assert "kept running for 3 s; by the healthcheck of its image" in found["unchecked"]
    assert "has ended with exit 0: nothing restarts it" in found["job"]
    assert found["migrate"].startswith("done when it has ended with exit 0")


def test_services_without_their_profile_are_listed_by_it():
    read = read_stack_of({"web": {}, "a": {"profiles": ["x", "y"]}, "b": {"profiles": ["x", "y"]}})
    assert [(one.subject, one.text) for one in switched_off(read)] == [("x or y", "a, b")]


def test_every_bad_extension_is_refused_and_the_services_stay():
    config = {"name": "shop", "services": {
        "a": {"image": "a", "x-slipway": {"helth": "/"}}, "b": {"image": "b", "x-slipway": {"health": "/"}},
        "c": {"image": "c", "x-slipway": {"health": "/", "port": 80}},
    }}  # fmt: skip
    stack, refused = read_services(config)
    assert [(one.error, one.message.split(":")[0]) for one in refused] == [
        ("BadExtension", "service a"),
        ("BadExtension", "service b"),
    ]
    assert set(stack.services) == {"a", "b", "c"}
    assert stack.services["c"].extension.health == "/"
