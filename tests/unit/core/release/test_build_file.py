"""The build file: each image once, under the name it is published by, and nothing that is not built."""

import pytest
import yaml

from flows.core.registry.layout import RegistryLayout
from flows.core.release.build_file import build_document, build_file, dropped_platforms
from flows.core.release.image_plan import plan_images
from tests.support.builders import stack

pytestmark = pytest.mark.unit


def built(services: dict, *makers: str, bases: dict | None = None, secrets: dict | None = None) -> dict:
    """The build file of a stack as Compose reads it."""
    config = {"name": "shop", "services": services}
    plan = plan_images(stack(services), RegistryLayout("localhost:5000", "team"), "v1")
    makers = makers or tuple(plan.built.values())
    known = {maker: {} for maker in makers} | (bases or {})
    return yaml.safe_load(build_file(build_document(config, plan, makers, known, secrets or {})))


def build_of(build: dict, bases: dict | None = None, **service) -> dict:
    said = built({"web": {"build": {"context": "/src", **build}, **service}}, bases={"web": bases or {}})
    return said["services"]["web"]["build"]


def test_an_image_is_built_under_the_name_it_is_published_by():
    build = {"context": "/src", "args": {"PRICE": "5$$"}}
    assert built({"web": {"image": "shop/web", "build": build, "env_file": ["a.env"], "ports": [{"target": 80}]}}) == {
        "name": "shop",
        "services": {"web": {"image": "localhost:5000/team/web:v1", "build": build}},
    }


def test_an_image_that_services_share_is_built_once():
    shared = {"image": "app", "build": {"context": "/src"}}
    assert list(built({"web": shared, "job": shared, "cron": {"image": "app"}})["services"]) == ["web"]


def test_only_what_is_wanted_is_built():
    services = {name: {"image": name, "build": {"context": f"/{name}"}} for name in ("web", "api")}
    services["db"] = {"image": "postgres:16"}
    assert list(built(services, "api")["services"]) == ["api"]


def test_what_is_built_by_stays_as_it_is():
    build = {"dockerfile_inline": "FROM x\nRUN echo $$HOME", "target": "t", "no_cache": True, "tags": ["a:b"]}
    assert build_of(build) == {"context": "/src", **build}


def test_an_argument_that_has_no_value_is_none_of_the_build_hosts():
    assert build_of({"args": {"HOME": None, "EMPTY": "", "A": "1"}})["args"] == {"EMPTY": "", "A": "1"}


def test_secrets_of_the_builds_come_along():
    said = built({"web": {"build": {"context": "/src", "secrets": ["ca"]}}}, secrets={"ca": {"file": "/ca"}})
    assert (said["secrets"], said["services"]["web"]["build"]["secrets"]) == ({"ca": {"file": "/ca"}}, ["ca"])
    assert "secrets" not in built({"web": {"build": {"context": "/src"}}})


def test_the_images_a_build_starts_from_are_named_contexts():
    said = build_of({"additional_contexts": {"files": "/x"}}, {"shop-base": "host/base:v1"})
    assert said["additional_contexts"] == {"shop-base": "docker-image://host/base:v1", "files": "/x"}


def test_the_image_of_another_service_is_a_context_that_every_compose_reads():
    said = build_of({"additional_contexts": ["up=service:base"]}, {"up": "host/base:v1"})
    assert said["additional_contexts"] == {"up": "docker-image://host/base:v1"}


def test_what_the_stack_itself_calls_a_context_stays():
    assert build_of({"additional_contexts": {"base": "/mine"}}, {"base": "host/base:v1"})["additional_contexts"] == {
        "base": "/mine"
    }


def test_ssh_is_written_as_compose_reads_it():
    assert build_of({"ssh": ["default", "git: /keys/git"]})["ssh"] == ["default", "git=/keys/git"]


TWO = ["linux/amd64", "linux/arm64"]


@pytest.mark.parametrize(
    ("platforms", "platform", "built_for", "dropped"),
    [
        (None, None, None, ()),
        (["linux/arm64"], None, ["linux/arm64"], ()),
        (TWO, None, None, tuple(TWO)),
        (TWO, "linux/arm64", ["linux/arm64"], ()),
        (["linux/amd64"], "linux/arm64", ["linux/amd64"], ()),
        (None, "linux/arm64", None, ()),
    ],
    ids=["none", "one", "several", "several, and the one that runs", "one that does not run", "the one that runs"],
)
def test_one_platform_is_built_as_compose_up_builds_it(platforms, platform, built_for, dropped):
    spec = {"build": {"context": "/src", "platforms": platforms}, "platform": platform}
    spec = {key: value for key, value in spec.items() if value}
    said = built({"web": spec})["services"]["web"]
    assert (said["build"].get("platforms"), said.get("platform")) == (built_for, platform)
    assert dropped_platforms(spec) == dropped
