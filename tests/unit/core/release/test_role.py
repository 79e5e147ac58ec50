"""Which part of a stack a droplet runs: all, what has a colour, or what is at home."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from flows.core.deploy.files.staging import staged_release
from flows.core.droplet.directories import StackDirectory
from flows.core.errors import BadRelease, NoStatefulServices, StateUndeclared
from flows.core.release.bundle import File, ReleaseFiles
from flows.core.release.release import read_release
from flows.core.release.role import (
    PARTS,
    as_role,
    cross_role_dependencies,
    home_services,
    home_stack,
    home_volumes,
    neighbours,
    part_override,
    part_stack,
    refuse_mixed,
    role_files,
    role_override,
    whole_stack,
)
from flows.core.stack.compose_yaml import dump_compose
from flows.core.stack.side_by_side.facts import Exposed, Network, SideBySide
from tests.support.builders import pinned, release, stack

pytestmark = pytest.mark.unit

NAMES = ("cache", "db", "seed", "web")
HOME = {"x-slipway": {"data": "home"}}
WHOLE = release(
    services={name: pinned(name) for name in NAMES},
    home=("db", "seed"),
    waits={"web": ("db",), "db": ("cache",)},
    volumes={"data": "shop_data"},
)


def waiting(*names: str) -> dict:
    return {"depends_on": {name: {"condition": "service_started"} for name in names}}


def volume(source: str) -> dict:
    return {"type": "volume", "source": source, "target": "/data"}


def test_the_home_of_a_stack_has_a_name_of_its_own():
    assert home_stack("shop") == "shop-home"


def test_services_at_home_are_those_that_say_so():
    one = stack({"b": HOME, "a": HOME, "web": {}, "cache": {"x-slipway": {"data": "disposable"}}})
    assert home_services(one) == ("a", "b")


def test_who_waits_across_the_line_is_known_from_both_sides():
    one = stack({
        "db": {**HOME, **waiting("seed", "old")},
        "old": HOME,
        "seed": {},
        "web": waiting("db", "seed", "old"),
        "alone": waiting("seed"),
    })  # fmt: skip
    assert cross_role_dependencies(one) == {"db": ("seed",), "web": ("db", "old")}


def test_named_volumes_of_the_home_keep_the_names_they_have_without_a_home():
    one = stack({
        "db": {**HOME, "volumes": [volume("data"), volume("plain"), {**volume("/b"), "type": "bind"}]},
        "old": {**HOME, "volumes": [volume("outside")]},
        "web": {"volumes": [volume("data"), volume("uploads")]},
    })  # fmt: skip
    declared = {"data": {"name": "shop_data"}, "plain": None, "outside": {"external": True}, "uploads": {"name": "u"}}
    assert home_volumes(one, declared) == {"data": "shop_data", "plain": "plain", "outside": "outside"}
    assert home_volumes(one, None) == {}


def test_a_droplet_without_a_role_runs_the_whole():
    assert as_role(WHOLE, "all") is WHOLE
    assert role_override(WHOLE, "all") == {}


@pytest.mark.parametrize(
    ("role", "name", "services"), [("colour", "shop", ("cache", "web")), ("home", "shop-home", ("db", "seed"))]
)
def test_each_side_has_its_services_and_images_and_no_others(role, name, services):
    part = as_role(WHOLE, role)
    assert (part.stack, tuple(part.services)) == (name, services)
    assert set(part.images) == {pinned(service) for service in services}
    assert read_release(part.document()) == part


@given(st.sets(st.sampled_from(NAMES), min_size=1))
def test_every_service_runs_on_exactly_one_side(home):
    whole = WHOLE.model_copy(update={"home": tuple(sorted(home)), "waits": {}})
    colour, at_home = as_role(whole, "colour").services, as_role(whole, "home").services
    assert {**colour, **at_home} == whole.services
    assert set(colour) & set(at_home) == set()
    assert set(role_override(whole, "colour")["services"]) == set(at_home)
    assert set(role_override(whole, "home")["services"]) == set(colour)


def test_without_a_service_at_home_there_is_none_to_put_there():
    with pytest.raises(
        NoStatefulServices, match=r"release v1 of shop has no service for the data home\. .*\{data: home\}"
    ):
        as_role(release(), "home")
    assert as_role(release(), "colour") == release()


def test_a_colour_leaves_out_the_home_and_does_not_wait_for_it():
    assert dump_compose(role_override(WHOLE, "colour")).decode() == (
        '{"services": {"db": {"profiles": ["slipway-elsewhere"]}, "seed": {"profiles": ["slipway-elsewhere"]}, '
        '"web": {"depends_on": {"db": !reset null}}}}\n'
    )


def test_the_home_leaves_out_the_colours_and_goes_on_with_its_volumes():
    assert dump_compose(role_override(WHOLE, "home")).decode() == (
        '{"services": {"cache": {"profiles": ["slipway-elsewhere"]}, "db": {"depends_on": {"cache": !reset null}}, '
        '"web": {"profiles": ["slipway-elsewhere"]}}, "volumes": {"data": {"name": "shop_data"}}}\n'
    )


def test_what_keeps_a_service_out_stands_beside_its_label_for_secrets():
    readers = WHOLE.model_copy(update={"secret_readers": {"db": ("key",)}})
    directory, override = StackDirectory("/opt", "shop"), role_override(WHOLE, "colour")
    written = (
        staged_release(readers, ReleaseFiles({}), {}, {"key": File(b"k")}, directory, override)
        .content["secrets.yml"]
        .content
    )
    services = yaml.safe_load(written.replace(b"!reset", b""))["services"]
    assert {name: set(said) for name, said in services.items()} == {
        "db": {"labels", "profiles"},
        "seed": {"profiles"},
        "web": {"depends_on"},
    }


def test_a_service_that_compose_still_counts_in_is_refused():
    part = as_role(WHOLE, "colour")
    assert refuse_mixed(part, stack({"web": {}, "cache": {}})) is None
    assert refuse_mixed(part, stack({"web": {}})) is None
    with pytest.raises(
        StateUndeclared,
        match=r"^db, seed of stack shop would run both on the data home and on the colours: .*`profiles:`",
    ):
        refuse_mixed(part, stack({name: {} for name in NAMES}))


def test_the_document_that_a_droplet_gets_is_that_of_its_part():
    part = as_role(WHOLE, "home")
    files = role_files(ReleaseFiles({"release.json": File(WHOLE.document()), "files/a": File(b"a")}), part)
    assert dict(files) == {"release.json": File(part.document()), "files/a": File(b"a")}


@pytest.mark.parametrize(
    ("name", "whole", "beside"),
    [
        ("shop", "shop", {"shop-green", "shop-blue", "shop-home"}),
        ("shop-blue", "shop", {"shop", "shop-green", "shop-home", *(f"shop-blue-{p}" for p in PARTS)}),
        ("shop-home", "shop", {"shop", "shop-green", "shop-blue", *(f"shop-home-{p}" for p in PARTS)}),
    ],
)
def test_the_parts_of_a_stack_are_known_by_their_names(name, whole, beside):
    assert (whole_stack(name), set(neighbours(name))) == (whole, beside)


def test_a_part_is_named_once_however_often_it_is_asked_for():
    assert part_stack("shop", None) == "shop"
    for part in PARTS:
        assert part_stack(part_stack("shop", part), part) == f"shop-{part}"


@pytest.mark.parametrize(("role", "part"), [("colour", "green"), ("all", "blue")])
def test_a_colour_that_shares_its_droplet_is_a_project_of_its_own(role, part):
    found = as_role(WHOLE, role, part)
    assert found.stack == f"{WHOLE.stack}-{part}"
    assert found.services == as_role(WHOLE, role).services


def test_a_part_of_a_droplet_has_what_keeps_it_apart_beside_what_its_role_leaves_out():
    network = Network(name="shop_default", home={"db": ()}, colour=("web",))
    facts = SideBySide(exposed={"web": Exposed(hosts=("shop.test",), port=80)}, networks={"default": network})
    release = WHOLE.model_copy(update={"side_by_side": facts, "home": ("db",)})
    name = f"{WHOLE.stack}-green_default"
    alone = part_override(release, "colour", None, False)
    assert dump_compose(alone) == dump_compose(role_override(release, "colour"))
    green = part_override(release, "colour", "green", True)
    assert green["services"]["db"] == role_override(release, "colour")["services"]["db"]
    assert green["networks"]["default"].value == {"name": name, "external": True}
    at_home = part_override(release, "home", "home", True)
    assert name in [made["name"] for made in at_home["networks"].values()]
    # A data home elsewhere makes no networks here.
    assert part_override(release, "colour", "green", False)["networks"]["default"] == {"name": name}


def test_a_release_that_says_nothing_of_two_colours_is_not_put_beside_another():
    with pytest.raises(BadRelease, match="Build it again"):
        part_override(WHOLE, "colour", "blue", True)
