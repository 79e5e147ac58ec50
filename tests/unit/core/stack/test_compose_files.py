"""The text of compose files: what they pull in, and where something stands."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from flows.core.errors import BrokenStack
from flows.core.stack.compose_files import collect_files, documents_of, locate, scalars
from flows.core.stack.compose_versions import compose_needs

pytestmark = pytest.mark.unit


def reading(files: dict[str, str]):
    """Read from a mapping as from a disk."""

    def read(path: str) -> str:
        if path not in files:
            raise FileNotFoundError(2, "No such file or directory")
        return files[path]

    return read


def test_included_and_extended_files_follow_those_given():
    files = {
        "/s/compose.yml": "include: [db/compose.yml, {path: [more.yml]}]\nservices: {web: {extends: {file: ../b.yml}}}",
        "/s/db/compose.yml": "include: [../../deep.yml]\nservices: {}",
        "/s/more.yml": "services: {x: {extends: {service: y}}}",
        "/b.yml": "services: {}",
        "/deep.yml": "services: {}",
    }
    assert list(collect_files(["/s/compose.yml"], reading(files))) == [
        "/s/compose.yml",
        "/s/db/compose.yml",
        "/s/more.yml",
        "/b.yml",
        "/deep.yml",
    ]


def test_files_of_which_there_is_no_end_are_refused(tmp_path):
    compose = tmp_path / "compose.yml"
    compose.write_text("include: [a/compose.yml, b/compose.yml]")
    for name in ("a", "b"):
        (tmp_path / name).symlink_to(".")
    with pytest.raises(BrokenStack, match="more than 1000 files"):
        collect_files([str(compose)], lambda path: Path(path).read_text())


def test_files_that_include_each_other_are_read_once():
    files = {"/a.yml": "include: [b.yml]\nservices: {}", "/b.yml": "include: [a.yml]\nservices: {}"}
    assert collect_files(["/a.yml"], reading(files)) == files


def test_tags_of_compose_are_read_as_plain_values():
    text = "services: {web: {ports: !reset [], image: !override a, labels: !reset {a: b}}}"
    assert collect_files(["/a.yml"], reading({"/a.yml": text})) == {"/a.yml": text}


BROKEN = {
    "a missing file": ({}, r"/a\.yml refers to /a\.yml: No such file"),
    "a missing include": ({"/a.yml": "include: [b.yml]"}, r"/a\.yml refers to /b\.yml: No such file"),
    "no YAML": ({"/a.yml": "services: ["}, r"/a\.yml is not YAML: .* Mend it"),
    "no mapping": ({"/a.yml": "- web"}, r"/a\.yml holds no compose project"),
    "nothing": ({"/a.yml": ""}, r"/a\.yml holds no compose project"),
}


@pytest.mark.parametrize(("files", "words"), BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_read_is_refused_by_name(files, words):
    with pytest.raises(BrokenStack, match=f"(?s){words}"):
        collect_files(["/a.yml"], reading(files))


FOREIGN = {
    "a settings file": "[server]\npassword = s3cr3t: x: y\n",
    "a bad alias": "a:\n  - *s3cr3t\n",
    "a bad handle": "a: !s3cr3t!x y\n",
    "a twice named anchor": "a: &s3cr3t 1\nb: [&s3cr3t 2, *s3cr3t]\nc: ]\n",
    "a bad escape": 'a: "\\s3cr3t"\n',
    "a control character": "a: s3cr3t\x07\n",
    "a key file": "-----BEGIN KEY-----\ns3cr3t\n",
}


@pytest.mark.parametrize("text", FOREIGN.values(), ids=FOREIGN)
def test_what_is_wrong_with_a_file_is_told_without_its_words(text):
    with pytest.raises(BrokenStack) as caught:
        collect_files(["/a.yml"], reading({"/a.yml": text}))
    assert "/a.yml" in str(caught.value)
    assert not [word for word in ("s3cr3t", "password", "BEGIN") if word in str(caught.value)]


def test_a_file_that_is_no_text_is_refused():
    with pytest.raises(BrokenStack, match=r"/a\.yml is no text"):
        collect_files(["/a.yml"], lambda _path: b"\xff\xfe".decode())


words = st.sampled_from(["services", "include", "extends", "file", "path", "a.yml"])
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
    max_leaves=8,
)


@given(documents)
def test_any_document_is_collected_or_refused(document):
    try:
        found = collect_files(["/a.yml"], reading({"/a.yml": yaml.safe_dump(document)}))
    except BrokenStack:
        return
    assert list(found) == ["/a.yml"]


BASE = """\
x-app: &app
  command: [run, --reload]
services:
  web:
    <<: *app
    volumes:
      - ./src:/app
  job:
    <<: [*app]
    environment: {FLASK_DEBUG: "1"}
"""
OVER = "services:\n  web:\n    volumes: ['../src:/app']\n"


@pytest.mark.parametrize(
    ("service", "field", "needle", "place"),
    [
        ("web", "volumes", "/app", "over.yml:3"),
        ("web", "command", "--reload", "base.yml:2"),
        ("job", "command", "--reload", "base.yml:2"),
        ("job", "environment", "FLASK_DEBUG", "base.yml:10"),
        ("web", "entrypoint", "--reload", "base.yml, over.yml"),
        ("orphan", "command", "--reload", "base.yml, over.yml"),
    ],
)
def test_the_line_is_that_of_the_file_that_wins_merge_keys_followed(service, field, needle, place):
    assert locate({"base.yml": BASE, "over.yml": OVER}, service, [field], needle) == place


def test_a_text_is_parsed_once_whatever_is_looked_for_in_it(monkeypatch):
    parsed, text = [], "services: {web: {image: parsed-once}}\n"
    compose_all = yaml.compose_all
    monkeypatch.setattr(yaml, "compose_all", lambda text, Loader: parsed.append(text) or compose_all(text, Loader))  # noqa: N803
    documents_of("compose.yml", text)
    list(scalars(text))
    locate({"compose.yml": text}, "web", ["image"], "parsed-once")
    compose_needs({"compose.yml": text})
    assert parsed == [text]


def test_scalars_are_keys_and_values_at_any_depth():
    assert list(scalars("a: {b: [c, {d: e}]}")) == ["a", "b", "c", "d", "e"]
    assert list(scalars("")) == []
