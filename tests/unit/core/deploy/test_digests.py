"""What runs is compared with what the release says; every difference is a sentence."""

import pytest

from flows.core.deploy.digests import digest_mismatches
from tests.support.builders import container, digest, pinned

pytestmark = pytest.mark.unit

WEB, OTHER = pinned("web"), pinned("web", "b")
ENGINE = {"sha256:image": (WEB, "mirror/web@sha256:1"), "sha256:old": (OTHER,), "sha256:local": ()}


def test_equal_digests_are_proof():
    assert digest_mismatches({"web": WEB}, [container("web"), container("web", name="shop-web-2")], ENGINE) == []


DIFFERENCES = {
    "another image": ([container("web", image_id="sha256:old")], [f"shop-web-1 runs {OTHER}, not {WEB}"]),
    "an image without a digest": (
        [container("web", image_id="sha256:local")],
        [f"shop-web-1 runs sha256:local, not {WEB}"],
    ),
    "an image that is gone": ([container("web", image_id="gone")], [f"shop-web-1 runs gone, not {WEB}"]),
    "one replica of two": (
        [container("web"), container("web", name="shop-web-2", image_id="sha256:old")],
        [f"shop-web-2 runs {OTHER}, not {WEB}"],
    ),
    "no container": ([], ["web has no container"]),
    "an orphan": ([container("web"), container("old")], ["old runs, and is not part of the release"]),
    "the right words on the wrong image": (
        [container("web", image=WEB, image_id="sha256:old")],
        [f"shop-web-1 runs {OTHER}, not {WEB}"],
    ),
}


@pytest.mark.parametrize(("containers", "sentences"), DIFFERENCES.values(), ids=DIFFERENCES)
def test_each_difference_is_said(containers, sentences):
    assert digest_mismatches({"web": WEB}, containers, ENGINE) == sentences


def test_a_one_off_container_is_no_part_of_the_release():
    one_off = container("old", labels=(("com.docker.compose.oneoff", "True"),))
    assert digest_mismatches({"web": WEB}, [container("web"), one_off], ENGINE) == []


@pytest.mark.parametrize("name", ["postgres", "postgres:16", "docker.io/library/postgres:16", "docker.io/postgres"])
def test_an_image_is_the_same_however_the_stack_writes_its_name(name):
    engine = {"sha256:image": (f"postgres@{digest('c')}",)}
    assert digest_mismatches({"db": f"{name}@{digest('c')}"}, [container("db")], engine) == []
    assert digest_mismatches({"db": f"{name}@{digest('d')}"}, [container("db")], engine) != []
