"""The order of builds: an image that others start from comes first, by the reference it is just built under."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.errors import BrokenStack
from flows.core.registry.layout import RegistryLayout
from flows.core.release.build_order import base_images, build_waves
from flows.core.release.image_plan import plan_images
from tests.support.builders import stack

pytestmark = pytest.mark.unit

BUILT = "localhost:5000/team"


def planned(dockerfiles: dict[str, str | None], **services: dict):
    """The bases and the waves of a stack of these services, each built from a directory of its own."""
    shop = stack({
        name: {"image": f"shop-{name}", "build": {"context": f"/{name}"}, **services.get(name, {})}
        for name in {**dockerfiles, **services}
    })  # fmt: skip
    plan = plan_images(shop, RegistryLayout("localhost:5000", "team"), "v1")
    bases = base_images(shop, plan, dockerfiles)
    return bases, plan


def waves(dockerfiles: dict[str, str | None], wanted: tuple[str, ...] = (), **services: dict) -> list[list[str]]:
    bases, plan = planned(dockerfiles, **services)
    return build_waves(bases, plan, wanted or tuple(plan.services))


WAYS = {
    "FROM": "FROM shop-base",
    "FROM, with the tag nobody writes": "FROM docker.io/library/shop-base:latest",
    "COPY": "FROM scratch\nCOPY --from=shop-base /a /b",
    "a mount": "FROM scratch\nRUN --mount=from=shop-base,target=/b true",
    "an argument": "ARG FROM_IMAGE=shop-base\nFROM $FROM_IMAGE",
    "the reference it is published by": f"FROM {BUILT}/shop-base:v1",
}


@pytest.mark.parametrize("text", WAYS.values(), ids=WAYS)
def test_an_image_that_another_starts_from_is_built_before_it(text):
    bases, _ = planned({"base": "FROM debian", "app": text})
    assert set(bases["app"].values()) == {f"{BUILT}/shop-base:v1"}
    assert bases["base"] == {}
    assert waves({"base": "FROM debian", "app": text}) == [["base"], ["app"]]


def test_a_context_is_named_as_buildkit_looks_for_it():
    bases, _ = planned({"base": "FROM debian", "app": "FROM docker.io/library/shop-base:latest"})
    assert list(bases["app"]) == ["shop-base"]


def test_images_that_start_from_nothing_of_ours_are_built_side_by_side():
    assert waves(dict.fromkeys(("a", "b", "c"), "FROM debian")) == [["a", "b", "c"]]


def test_a_chain_is_built_in_its_order():
    chain = {"c": "FROM shop-b", "a": "FROM debian", "b": "FROM shop-a", "d": "FROM shop-b\nCOPY --from=shop-a / /"}
    assert waves(chain) == [["a"], ["b"], ["c", "d"]]


def test_what_a_wanted_image_starts_from_is_built_too_and_nothing_else():
    files = {"base": "FROM debian", "app": "FROM shop-base", "other": "FROM shop-base"}
    assert waves(files, ("app",)) == [["base"], ["app"]]
    assert waves(files, ("base",)) == [["base"]]


def test_a_build_argument_of_the_compose_file_chooses_the_base():
    app = {"build": {"context": "/app", "args": {"BASE": "shop-base", "NONE": None}}}
    assert waves({"base": "FROM debian", "app": "ARG BASE=debian\nFROM $BASE"}, app=app) == [["base"], ["app"]]


def test_an_additional_context_may_be_another_services_image():
    app = {"build": {"context": "/app", "additional_contexts": {"up": "service:base", "d": "service:db", "x": "/x"}}}
    bases, plan = planned({"base": "FROM debian", "app": "FROM up"}, app=app, db={"image": "postgres", "build": None})
    assert bases["app"] == {"up": f"{BUILT}/shop-base:v1", "d": "postgres"}
    assert build_waves(bases, plan, ("app",)) == [["base"], ["app"]]


def test_an_additional_context_of_a_service_that_is_not_there_is_refused():
    app = {"build": {"context": "/app", "additional_contexts": ["up=service:gone"]}}
    with pytest.raises(BrokenStack, match="app is built with the image of gone, which the stack does not have"):
        planned({"app": "FROM up"}, app=app)


def test_a_build_whose_dockerfile_is_elsewhere_waits_for_what_it_depends_on():
    app = {"build": {"context": "https://x/y.git"}, "depends_on": {"base": {"condition": "service_started"}}}
    bases, plan = planned({"base": "FROM debian", "app": None}, app=app)
    assert bases["app"] == {"shop-base": f"{BUILT}/shop-base:v1"}
    assert build_waves(bases, plan, ("app",)) == [["base"], ["app"]]


def test_an_image_that_starts_from_its_own_last_build_waits_for_nobody():
    assert waves({"app": "FROM shop-app"}) == [["app"]]


def test_services_that_share_an_image_are_one_build():
    shared = {"image": "shop-app", "build": {"context": "/app"}}
    assert waves({"app": "FROM shop-base", "job": "FROM shop-base", "base": "FROM x"}, job=shared) == [
        ["base"],
        ["app"],
    ]


def test_images_that_are_built_from_each_other_are_refused_by_name():
    with pytest.raises(BrokenStack, match="the images of a, b are built from each other"):
        waves({"a": "FROM shop-b", "b": "FROM shop-a", "c": "FROM debian"})


@given(st.dictionaries(st.integers(0, 7), st.sets(st.integers(0, 7)), min_size=1))
def test_any_images_are_built_after_those_they_start_from_or_refused(graph):
    files = {
        f"s{n}": "\n".join(["FROM debian", *(f"FROM shop-s{other}" for other in others)]) for n, others in graph.items()
    }
    try:
        found = waves(files)
    except BrokenStack:
        return
    place = {name: number for number, wave in enumerate(found) for name in wave}
    assert set(place) == set(files)
    for n, others in graph.items():
        assert all(place[f"s{o}"] < place[f"s{n}"] for o in others if o != n and f"s{o}" in place)
