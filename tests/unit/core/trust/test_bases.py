"""Base images: by which digest a build used them."""

import json

import pytest

from flows.core.trust.bases import BaseImage, foreign_bases, known_base, logged_digests
from tests.support.builders import digest

pytestmark = pytest.mark.unit

A, B, C = digest("a"), digest("b"), digest("c")
LOG = f"""#2 [web internal] load metadata for docker.io/library/python:3.13-slim
#2 DONE 0.3s
#5 [web python 1/4] FROM docker.io/library/python:3.13-slim@{A}
#5 resolve docker.io/library/python:3.13-slim@{A} done
#6 [web] FROM registry.example.com/tools/curl:8@{B}
#7 [web a 1/2] FROM docker.io/library/debian:trixie-slim
#8 [web 2/4] RUN echo '#5 [x] FROM docker.io/library/fake:1@{C}'
#8 0.1 #9 [x] FROM docker.io/library/fake:1@{C}
#9 [x] FROM docker.io/library/python:3.13-slim@{C}
""".splitlines()


def test_a_builds_log_says_which_digest_each_base_had():
    assert logged_digests(LOG) == {
        "docker.io/library/python:3.13-slim": A,
        "registry.example.com/tools/curl:8": B,
    }


@pytest.mark.parametrize(
    ("reference", "inspected", "found"),
    {
        "by the log": ("python:3.13-slim", None, BaseImage("python:3.13-slim", A)),
        "by its own digest": (f"x/y@{C}", None, BaseImage(f"x/y@{C}", C)),
        "by the engine": ("debian:13", {"RepoDigests": [f"debian@{B}"], "Id": C}, BaseImage("debian:13", B)),
        "by its name alone": ("debian:13", {"RepoDigests": [f"other/debian@{B}"], "Id": C},
                              BaseImage("debian:13", image_id=C)),
        "of this host": ("base:1", {"RepoDigests": [], "Id": C}, BaseImage("base:1", image_id=C)),
        "an odd id": ("base:1", {"Id": "sha256:x"}, BaseImage("base:1")),
        "nobody": ("base:1", None, BaseImage("base:1")),
    }.values(),
)  # fmt: skip
def test_a_base_is_known_by(reference, inspected, found):
    printed = None if inspected is None else json.dumps([inspected])
    assert known_base(reference, logged_digests(LOG), printed) == found


def test_images_of_the_stack_are_no_foreign_bases():
    own = ["registry.example.com/shop/base:v1", "base"]
    references = ["docker.io/library/base:latest", "debian:13", "debian:13", "registry.example.com/shop/base:v1"]
    assert foreign_bases(references, own) == ["debian:13"]


def test_a_line_without_an_end_is_read_in_linear_time():
    assert logged_digests(["#5 [" + "x" * 5_000_000, "#5 FROM " + "a@sha256:" * 500_000]) == {}
