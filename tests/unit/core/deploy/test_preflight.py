"""Whether a droplet can take a release, decided before anything on it changes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.deploy.facts import Facts
from flows.core.deploy.preflight import RESERVE, layers_to_pull, missing_external, missing_images, preflight_problems
from tests.support.builders import digest, image, pinned, release

pytestmark = pytest.mark.unit

GOOD = Facts(engine="26.1.5", compose="2.26.1", platform="linux/amd64", free=10**12)


WEB, DB = pinned("web"), pinned("db", "b")


TWO = release(
    services={"web": WEB, "db": DB},
    images={WEB: image(("base", 100), ("web", 10)), DB: image(("base", 100), ("db", 1))},
)


LARGE = release(images={WEB: image(("x", 10**9))})


def test_a_good_droplet_has_nothing_against_a_release():
    assert preflight_problems(TWO, GOOD, None) == []


REFUSALS = {
    "no engine": ({"engine": ""}, TWO, "no Docker Engine answers"),
    "engine too old": ({"engine": "19.03.15"}, TWO, "its Docker Engine is 19.03.15; Slipway needs 20.10 or later"),
    "no Compose": ({"compose": ""}, TWO, "it has no Compose v2"),
    "Compose too old": ({"compose": "v2.19.1"}, TWO, "its Compose is v2.19.1; Slipway needs 2.20 or later"),
    "Compose older than the stack": (
        {"compose": "2.26.1-4"},
        release(compose_needs={"`gpus` (a.yaml:9)": "2.30.0", "`develop` (a.yaml:3)": "2.22.0"}),
        "its Compose is 2.26.1-4, and `gpus` (a.yaml:9) needs 2.30.0 or later: update",
    ),
    "another architecture": ({"platform": "linux/arm64"}, TWO, "it is linux/arm64, and these images are not: db (lin"),
    "full disk": ({"free": 0}, TWO, "0 MB are free and about 268 MB are needed"),
    "disk too small": ({"free": 3 * 10**9}, LARGE, "3,000 MB are free and about 3,268 MB are needed"),
    "full disk, image of unknown size": ({"free": 0}, release(images={WEB: image()}), "0 MB are free"),
}


@pytest.mark.parametrize(("found", "wanted", "words"), REFUSALS.values(), ids=REFUSALS)
def test_a_droplet_that_cannot_take_it_is_told_why(found, wanted, words):
    [fault] = preflight_problems(wanted, replace(GOOD, **found), None)
    assert fault.startswith(words)


def test_everything_that_stands_against_it_is_said_at_once():
    assert (
        len(preflight_problems(TWO, replace(GOOD, engine="1.0", compose="1.0", free=0, platform="linux/arm64"), None))
        == 4
    )


@pytest.mark.parametrize(
    ("offered", "fits"),
    [
        (("linux/amd64",), True),
        (("linux/arm64", "linux/amd64/v2"), True),
        (("linux/arm64",), False),
        ((), True),
        (("linux/amd",), False),
    ],
)
def test_an_image_fits_when_one_of_its_platforms_does(offered, fits):
    assert (preflight_problems(release(images={WEB: image(platforms=offered)}), GOOD, None) == []) is fits


def test_a_full_disk_takes_a_release_whose_images_are_all_there():
    assert preflight_problems(TWO, replace(GOOD, free=0, present=frozenset([WEB, DB])), None) == []


def sizes(facts: Facts, previous=None) -> dict:
    return {layer.digest: layer.size for layer in layers_to_pull(TWO, facts, previous)}


def named(**sizes):
    return {digest(name): size for name, size in sizes.items()}


def test_only_layers_that_are_not_there_are_pulled_each_once():
    assert sizes(GOOD) == named(base=100, web=10, db=1)
    assert sizes(replace(GOOD, present=frozenset([DB]))) == named(web=10)
    assert sizes(GOOD, release(images={WEB: image(("base", 100))})) == named(web=10, db=1)
    assert sizes(replace(GOOD, present=frozenset([WEB, DB]))) == {}


SAME = {
    "as it is": f"postgres@{digest('c')}",
    "with its tag": f"postgres:16@{digest('c')}",
    "with the registry that is meant": f"docker.io/library/postgres:16@{digest('c')}",
}


@pytest.mark.parametrize("reference", SAME.values(), ids=SAME)
def test_an_image_is_there_however_the_stack_writes_its_name(reference):
    wanted = release(services={"db": reference})
    assert missing_images(wanted, {f"postgres@{digest('c')}"}) == []
    assert missing_images(wanted, GOOD.present) == [reference]


layers = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 10**10), max_size=4)


@given(st.dictionaries(st.sampled_from(["web", "db", "job"]), layers, min_size=1), st.sets(st.sampled_from("wdj")))
def test_no_disk_that_is_full_is_accepted_when_something_is_to_pull(stack, there):
    services = {name: pinned(name) for name in stack}
    wanted = release(services=services, images={services[n]: image(*held.items()) for n, held in stack.items()})
    facts = replace(GOOD, free=0, present=frozenset(ref for name, ref in services.items() if name[0] in there))
    assert bool(preflight_problems(wanted, facts, None)) is bool(missing_images(wanted, facts.present))
    assert preflight_problems(wanted, replace(facts, free=RESERVE - 1), wanted) == [] or missing_images(
        wanted, facts.present
    )


EXTERNAL = {
    "services": {
        "web": {"networks": {"default": None, "edge": {"aliases": ["w"]}}},
        "api": {"networks": {"edge": None}, "volumes": [
            {"type": "volume", "source": "data", "target": "/d"}, {"type": "volume", "target": "/a"},
            {"type": "bind", "source": "/models", "target": "/m"}, {"type": "volume", "source": "own", "target": "/o"},
        ]},
        "db": {},
    },
    "networks": {"default": {"name": "shop_default"}, "edge": {"name": "proxy net", "external": True},
                 "unused": {"name": "unused", "external": True}},
    "volumes": {"data": {"name": "old_data", "external": True}, "own": {"name": "shop_own"}},
}  # fmt: skip


def test_networks_and_volumes_from_elsewhere_are_missed_by_the_name_they_have_there():
    there = replace(GOOD, networks=frozenset(["bridge", "edge"]), volumes=frozenset(["data"]))
    assert missing_external(EXTERNAL, there) == [
        "it has no network proxy net, which is external to the stack (for api, web). "
        "Create it there: docker network create 'proxy net'",
        "it has no volume old_data, which is external to the stack (for api). "
        "Create it there: docker volume create old_data",
    ]


@pytest.mark.parametrize(
    "lists",
    [
        {"networks": frozenset(["proxy net"]), "volumes": frozenset(["old_data"])},
        {"networks": None, "volumes": None},
    ],
    ids=["they are there", "the engine did not say"],
)
def test_what_is_there_or_not_known_to_be_missing_is_no_reason(lists):
    assert missing_external(EXTERNAL, replace(GOOD, **lists)) == []


def test_a_part_of_a_stack_needs_what_its_own_services_use():
    lists = {"networks": frozenset(["bridge"]), "volumes": frozenset[str]()}
    home = {**EXTERNAL, "services": {"db": {}}}
    assert missing_external(home, replace(GOOD, **lists)) == []


def test_a_network_that_the_data_home_makes_comes_with_the_data_home():
    config = {
        "services": {"web": {"networks": {"inner": None}}},
        "networks": {"inner": {"name": "a_b", "external": True}},
    }
    [said] = missing_external(config, replace(GOOD, networks=frozenset()), ["a_b"])
    assert said == "it has no network a_b, which the data home makes (for web). Put that there first: " + (
        "slipway deploy-home --tag TAG"
    )
    assert "docker network create a_b" in missing_external(config, replace(GOOD, networks=frozenset()))[0]
