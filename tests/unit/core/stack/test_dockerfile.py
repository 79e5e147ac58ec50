"""Which images a Dockerfile starts from, as BuildKit reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.stack.dockerfile import familiar, image_references

pytestmark = pytest.mark.unit

DOCKERFILES = {
    "one stage": ("FROM base\nRUN true", ["base"]),
    "lower case, with a platform and a name": ("from --platform=$BUILDPLATFORM team/base:1 as build", ["team/base:1"]),
    "its own stages are no images": ("FROM a AS Build\nFROM build AS x\nCOPY --from=BUILD /a /b\nFROM X", ["a"]),
    "a stage by number is no image": ("FROM a\nFROM b\nCOPY --from=0 /a /b", ["a", "b"]),
    "copied from an image": ("FROM scratch\nCOPY --chown=1:1 --from=tools:2 /a /b", ["tools:2"]),
    "mounted from an image": (
        "FROM a\nRUN --mount=type=cache,target=/c --mount=type=bind,from=tools,target=/t true",
        ["a", "tools"],
    ),
    "an argument's default": ("ARG BASE=base\nARG TAG\nFROM ${BASE}:${TAG:-3}", ["base:3"]),
    "a quoted default": ("ARG BASE=\"base\" TAG='2'\nFROM $BASE:$TAG", ["base:2"]),
    "a default of another argument": ("ARG HOST=reg\nARG BASE=$HOST/base\nFROM $BASE", ["reg/base"]),
    "words for a value that is there": ("ARG DEBUG=1\nFROM base${DEBUG:+-debug}${NO:+-no}", ["base-debug"]),
    "continued lines": ("FROM \\\n  base \\\n # a remark\n\n AS x\nFROM x", ["base"]),
    "another escape": ("# syntax=docker/dockerfile:1\n# escape=`\nFROM `\n base\nRUN dir C:\\\nFROM b", ["base", "b"]),
    "a here-document is no instruction": (
        "FROM a\nRUN <<EOF\necho\nFROM inner\nEOF\nCOPY <<-'E' /x\nFROM no\n\tE\nFROM b",
        ["a", "b"],
    ),
    "what only looks like it": ("# FROM no\nFROM a\nRUN echo FROM no --from=no\nENV FROM=no", ["a"]),
    "a mark before the first line": ("\ufeffFROM a", ["a"]),
    "without a value": ("FROM $NOBODY/base", ["$NOBODY/base"]),
    "nothing": ("", []),
}


@pytest.mark.parametrize(("text", "images"), DOCKERFILES.values(), ids=DOCKERFILES)
def test_the_images_a_dockerfile_refers_to_are_read(text, images):
    assert list(image_references(text, {})) == images


def test_build_arguments_win_over_defaults_and_only_where_they_are_declared():
    args = {"BASE": "mine", "OTHER": "x"}
    assert image_references("ARG BASE=base\nFROM $BASE\nFROM $OTHER", args) == ("mine", "$OTHER")


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        *(("base", "base"), ("base:latest", "base"), ("docker.io/library/base:latest", "base")),
        *(
            ("index.docker.io/team/base:1", "team/base:1"),
            ("library/base", "base"),
            ("localhost:5000/a", "localhost:5000/a"),
        ),
        *(("localhost:5000/a:latest", "localhost:5000/a"), ("base@sha256:1", "base@sha256:1")),
    ],
)
def test_an_image_is_known_by_one_name(reference, name):
    assert familiar(reference) == name


pieces = st.sampled_from([
    *("FROM ", "AS ", "ARG ", "COPY --from=", "RUN --mount=from=", "<<EOF", "EOF", "\\", "\n", "#", "# escape=`\n"),
    *("$A", "${A:-b}", "${A", "a", "=", " ", '"', "'", ","),
])  # fmt: skip


@given(st.lists(pieces | st.text(max_size=4), max_size=25).map("".join))
def test_any_text_is_read(text):
    found = image_references(text, {"A": "x"})
    assert len(set(found)) == len(found)
    assert all(name and not name.isspace() for name in found)
