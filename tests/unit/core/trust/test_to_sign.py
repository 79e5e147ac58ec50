"""Which images of a release are signed: what was built, and copies; what is only pinned is not ours to sign."""

import pytest

from flows.core.release.image_plan import ImagePlan
from flows.core.trust.to_sign import ToSign, images_to_sign
from tests.support.builders import HOST, digest

pytestmark = pytest.mark.unit

WEB, DB = f"{HOST}/team/web:v1", f"{HOST}/team/db:v1"


def plan(**external) -> ImagePlan:
    return ImagePlan({WEB: "web", DB: "db"}, external, {})


def test_what_was_built_is_signed_as_its_services():
    found = images_to_sign(plan(), {WEB: digest("a"), DB: digest("b")}, {}, HOST)
    assert found == [
        ToSign(f"{HOST}/team/db@{digest('b')}", service="db"),
        ToSign(f"{HOST}/team/web@{digest('a')}", service="web"),
    ]


def test_a_copy_is_signed_as_what_it_is_the_copy_of():
    copy = f"{HOST}/team/postgres@{digest('c')}"
    assert images_to_sign(plan(), {}, {"postgres:16": copy}, HOST) == [ToSign(copy, source="postgres:16")]


@pytest.mark.parametrize("image", ["postgres:16", f"{HOST}/others/tool:1"])
def test_an_image_from_elsewhere_that_is_only_pinned_is_not_signed(image):
    where = f"docker.io/library/postgres@{digest('c')}" if "postgres" in image else f"{HOST}/others/tool@{digest('c')}"
    assert images_to_sign(plan(), {}, {image: where}, HOST) == []


def test_one_image_of_two_names_is_signed_once():
    built = {f"{HOST}/all:web-v1": digest("a"), f"{HOST}/all:db-v1": digest("a")}
    makers = {f"{HOST}/all:web-v1": "web", f"{HOST}/all:db-v1": "db"}
    assert images_to_sign(ImagePlan(makers, {}, {}), built, {}, HOST) == [
        ToSign(f"{HOST}/all@{digest('a')}", service="web")
    ]
