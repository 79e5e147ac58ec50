"""The build file: each image once, under the name it is published by, and nothing that is not built."""

import pytest
import yaml

from flows.core.registry.layout import RegistryLayout
from flows.core.release.build_file import build_file
from flows.core.release.image_plan import plan_images
from tests.support.builders import stack

pytestmark = pytest.mark.unit


def built(services: dict, wanted: tuple[str, ...] | None = None, **more) -> dict:
    """The build file of a stack as Compose would read it."""
    config = {"name": "shop", "services": services, **more}
    plan = plan_images(stack(services), RegistryLayout("localhost:5000", "team"), "v1")
    return yaml.safe_load(build_file(config, plan, wanted or tuple(services)))


def test_an_image_is_built_under_the_name_it_is_published_by():
    build = {"context": "/src", "args": {"PRICE": "5$$"}}
    assert built({"web": {"image": "shop/web", "build": build, "env_file": ["a.env"], "ports": [{"target": 80}]}}) == {
        "name": "shop",
        "services": {"web": {"image": "localhost:5000/team/web:v1", "build": build}},
    }


def test_an_image_that_services_share_is_built_once():
    shared = {"image": "app", "build": {"context": "/src"}}
    assert list(built({"web": shared, "job": shared, "cron": {"image": "app"}})["services"]) == ["web"]


def test_a_service_is_built_by_the_one_that_makes_its_image():
    services = {"web": {"image": "app", "build": {"context": "/src"}}, "cron": {"image": "app"}}
    assert list(built(services, ("cron",))["services"]) == ["web"]


def test_only_what_is_wanted_is_built():
    services = {name: {"image": name, "build": {"context": f"/{name}"}} for name in ("web", "api")}
    services["db"] = {"image": "postgres:16"}
    assert list(built(services, ("api", "db"))["services"]) == ["api"]


def test_the_platform_a_service_asks_for_is_built():
    services = {"web": {"build": {"context": "/src"}, "platform": "linux/arm64"}}
    assert built(services)["services"]["web"]["platform"] == "linux/arm64"


def test_secrets_of_the_builds_come_along_and_no_others():
    secrets = {name: {"file": f"/{name}"} for name in ("ca", "pip", "database")}
    services = {
        "web": {"build": {"context": "/src", "secrets": [{"source": "ca"}, "pip"]}, "secrets": ["database"]},
    }
    assert built(services, secrets=secrets)["secrets"] == {"ca": {"file": "/ca"}, "pip": {"file": "/pip"}}
