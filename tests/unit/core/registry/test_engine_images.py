"""What docker says of images on the build host is read into values, or is one known error."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.errors import UnreadableAnswer
from flows.core.registry.engine_images import Built, read_built, read_known_digests, read_remote_digest
from flows.core.stack.compose_yaml import load_service

pytestmark = pytest.mark.unit
DIGEST = f"sha256:{'a' * 64}"
ENTRY = {
    "RootFS": {"Layers": ["sha256:l"]}, "RepoDigests": [f"r/web@{DIGEST}"], "Size": 5, "Os": "linux",
    "Architecture": "amd64",
}  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*ENTRY, "digest", "services", "all"]), inner),
)


def test_images_are_read():
    assert read_built(["r/web:1"], json.dumps([ENTRY])) == [
        Built("r/web:1", ("sha256:l",), (f"r/web@{DIGEST}",), 5, "linux/amd64")
    ]
    assert read_known_digests(json.dumps([ENTRY])) == (f"r/web@{DIGEST}",)
    assert read_known_digests(json.dumps([{**ENTRY, "RepoDigests": None}])) == ()
    assert read_remote_digest(json.dumps({"digest": DIGEST})) == DIGEST


@pytest.mark.parametrize("digest", ["", "sha256:abc", "latest", None, f"{DIGEST}\nx", "../../x"])
def test_a_digest_that_is_none_is_refused(digest):
    for read, text in [
        (read_remote_digest, {"digest": digest}),
        (read_known_digests, [{**ENTRY, "RepoDigests": [f"r/web@{digest}"]}]),
    ]:
        with pytest.raises(UnreadableAnswer, match="cannot be read"):
            read(json.dumps(text))


@pytest.mark.parametrize("text", ["", "{", "[]", "[1]", "[" * 100_000, "null", '[{"RootFS": 1, "RepoDigests": 1}]'])
def test_rubbish_is_one_known_error(text):
    for read in (
        lambda: read_built(["r/web:1"], text),
        lambda: read_known_digests(text),
        lambda: read_remote_digest(text),
        lambda: load_service(text, "all"),
    ):
        with pytest.raises(UnreadableAnswer):
            read()


@given(JSON)
def test_whatever_is_printed_it_is_read_or_one_known_error(printed):
    for read in (
        lambda text: read_built(["r/web:1"], text), read_known_digests, read_remote_digest,
        lambda text: load_service(text, "all"),
    ):  # fmt: skip
        try:
            assert read(json.dumps(printed)) is not None
        except UnreadableAnswer:
            continue
