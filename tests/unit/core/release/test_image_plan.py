"""Names of images: every image of a stack gets a place of its own that a registry accepts."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.errors import BadTag
from flows.core.registry.layout import RegistryLayout, repository_name
from flows.core.registry.references import check_tag, engine_name, slug, split_host, split_reference
from flows.core.release.image_plan import plan_images
from tests.support.builders import digest, stack

pytestmark = pytest.mark.unit

# https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pulling-manifests
REPOSITORY = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
EACH = RegistryLayout("registry.example.com", "team")
ONE = RegistryLayout("registry.example.com", "team", "all")
DIGEST = digest("a")


@pytest.mark.parametrize(
    ("layout", "reference"),
    [
        (RegistryLayout("localhost:5000"), "localhost:5000/web:v1"),
        (EACH, "registry.example.com/team/web:v1"),
        (ONE, "registry.example.com/team/all:web-v1"),
    ],
)
def test_the_layout_says_where_an_image_goes(layout, reference):
    assert layout.reference("web", "v1") == reference


def test_a_release_stands_beside_its_images():
    assert EACH.release_reference("My Shop", "v1") == "registry.example.com/team/my-shop-release:v1"
    assert ONE.release_reference("shop", "v1") == "registry.example.com/team/all:shop-release-v1"


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


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("web", "web"),
        ("ghcr.io/acme/web:2", "web"),
        ("registry.example.com/team/web:v1", "web"),
        ("registry.example.com/team/tools/web:v1", "tools/web"),
        ("localhost:5000/web", "web"),
        (f"postgres:16@{DIGEST}", "postgres"),
    ],
)
def test_the_last_part_of_a_name_is_kept(image, name):
    assert repository_name(image, EACH) == name


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("web", ("web", "latest")),
        ("web:1", ("web", "1")),
        ("localhost:5000/web", ("localhost:5000/web", "latest")),
        ("localhost:5000/web:1", ("localhost:5000/web", "1")),
        (f"web@{DIGEST}", ("web", DIGEST)),
        (f"localhost:5000/a/web:1@{DIGEST}", ("localhost:5000/a/web", DIGEST)),
    ],
)
def test_a_reference_is_split_into_repository_and_tag_or_digest(reference, parts):
    assert split_reference(reference) == parts


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        (f"postgres:16@{DIGEST}", f"postgres@{DIGEST}"),
        (f"docker.io/library/postgres@{DIGEST}", f"postgres@{DIGEST}"),
        (f"index.docker.io/acme/web@{DIGEST}", f"acme/web@{DIGEST}"),
        (f"ghcr.io/library/web:1@{DIGEST}", f"ghcr.io/library/web@{DIGEST}"),
        (f"localhost:5000/web@{DIGEST}", f"localhost:5000/web@{DIGEST}"),
    ],
)
def test_the_engine_lists_an_image_by_its_short_name_and_digest(reference, name):
    assert engine_name(reference) == name


part = st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True)
hosts = st.sampled_from(["", "localhost/", "localhost:5000/", "registry.example.com/", "[::1]:5000/"])
repositories = st.builds(lambda host, parts: host + "/".join(parts), hosts, st.lists(part, min_size=1, max_size=3))


@given(repositories, st.from_regex(TAG, fullmatch=True))
def test_splitting_undoes_joining(repository, tag):
    assert split_reference(f"{repository}:{tag}") == (repository, tag)
    assert split_reference(f"{repository}@{DIGEST}") == (repository, DIGEST)
    assert split_reference(f"{repository}:{tag}@{DIGEST}") == (repository, DIGEST)


@pytest.mark.parametrize(
    ("repository", "parts"),
    [
        ("postgres", ("docker.io", "library/postgres")),
        ("acme/web", ("docker.io", "acme/web")),
        ("localhost/web", ("localhost", "web")),
        ("localhost:5000/web", ("localhost:5000", "web")),
        ("ghcr.io/acme/web", ("ghcr.io", "acme/web")),
    ],
)
def test_the_host_is_told_from_the_path_as_docker_does(repository, parts):
    assert split_host(repository) == parts


@given(repositories)
def test_host_and_path_make_up_the_repository(repository):
    host, path = split_host(repository)
    assert repository in {f"{host}/{path}", path, path.removeprefix("library/")}
    assert host == "docker.io" or repository.startswith(f"{host}/")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("web", "web"), ("My.Service_2", "my.service_2"), ("a b", "a-b"), ("_x_", "x"), ("Ünï", "n"), ("...", "image")],
)
def test_a_slug_is_lower_case_and_keeps_what_may_stay(name, expected):
    assert slug(name) == expected


@given(st.text(max_size=40))
def test_a_slug_is_always_a_repository_name(name):
    assert REPOSITORY.fullmatch(slug(name))


@pytest.mark.parametrize("tag", ["v1", "_", "1.2.3-rc_1", "a" * 128])
def test_a_good_tag_is_returned(tag):
    assert check_tag(tag) == tag


@pytest.mark.parametrize("tag", ["", ".a", "-a", "a/b", "a b", "a\n", "é", "a" * 129])
def test_a_tag_that_a_registry_refuses_is_refused_here(tag):
    with pytest.raises(BadTag, match="no image tag"):
        check_tag(tag)


def test_a_tag_that_grows_too_long_in_one_repository_is_refused():
    with pytest.raises(BadTag):
        ONE.reference("web", "v" * 125)
