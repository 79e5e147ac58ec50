"""Where a registry wants images and releases."""

import pytest

from flows.core.errors import BadTag
from flows.core.registry.layout import RegistryLayout, repository_name
from tests.support.builders import digest

pytestmark = pytest.mark.unit

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


def test_a_tag_that_grows_too_long_in_one_repository_is_refused():
    with pytest.raises(BadTag):
        ONE.reference("web", "v" * 125)
