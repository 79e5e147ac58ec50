"""Every image of a stack gets a place of its own that a registry accepts."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.registry.layout import RegistryLayout
from flows.core.registry.references import split_host, split_reference
from flows.core.release.image_plan import plan_images
from tests.support.builders import stack

pytestmark = pytest.mark.unit

# https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pulling-manifests
REPOSITORY = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")


TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")


EACH = RegistryLayout("registry.example.com", "team")


ONE = RegistryLayout("registry.example.com", "team", "all")


def test_services_that_share_an_image_share_its_reference():
    shared = {"image": "shop/app", "build": {"context": "/src"}}
    plan = plan_images(stack({"web": shared, "job": {"image": "shop/app"}, "db": {"image": "postgres:16"}}), EACH, "v1")
    assert plan.built == {"registry.example.com/team/app:v1": "web"}
    assert plan.external == {"postgres:16": ("db",)}
    assert plan.services == {
        "web": "registry.example.com/team/app:v1",
        "job": "registry.example.com/team/app:v1",
        "db": "postgres:16",
    }


COLLIDING = {
    "two registries, one last part": {"web": "a.io/app", "job": "b.io/app"},
    "a name that another service's image has": {"x": "a.io/app", "y": "b.io/app", "z": "c.io/x"},
    "services that differ in what a registry does not tell apart": {"My.App": "a.io/app", "my.app": "b.io/app"},
    "the release's own place": {"release": "shop-release", "web": "shop-web"},
    "tags of one repository": {"web": "web", "job": "WEB"},
}


@pytest.mark.parametrize("layout", [EACH, ONE], ids=["each", "one"])
@pytest.mark.parametrize("images", COLLIDING.values(), ids=COLLIDING)
def test_different_images_never_share_a_place(layout, images):
    services = {name: {"image": image, "build": {"context": "/src"}} for name, image in images.items()}
    plan = plan_images(stack(services), layout, "v1")
    taken = [*plan.built, layout.release_reference("shop", "v1")]
    assert len(set(taken)) == len(images) + 1
    assert plan.built == {reference: name for name, reference in plan.services.items()}


names = st.text(alphabet="aAbB.-_/é", min_size=1, max_size=6)


@given(st.dictionaries(st.text(alphabet="aAb.-_", min_size=1, max_size=4), names, max_size=6))
def test_every_image_that_is_built_gets_a_valid_place_of_its_own(images):
    services = {name: {"image": image, "build": {"context": "/src"}} for name, image in images.items()}
    for layout in (EACH, ONE):
        plan = plan_images(stack(services), layout, "v1")
        assert len(plan.built) == len(set(images.values()))
        assert set(plan.services.values()) == set(plan.built)
        for reference in plan.built:
            repository, tag = split_reference(reference)
            assert REPOSITORY.fullmatch(split_host(repository)[1])
            assert TAG.fullmatch(tag)
