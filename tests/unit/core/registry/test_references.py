"""Image references: their parts, names and tags, as the engine and registries read them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.errors import BadTag
from flows.core.registry.references import check_tag, engine_name, slug, split_host, split_reference
from tests.support.builders import digest

pytestmark = pytest.mark.unit

# https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pulling-manifests
REPOSITORY = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")


TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")


DIGEST = digest("a")


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
