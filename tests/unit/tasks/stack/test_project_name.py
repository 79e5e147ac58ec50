"""The name of a stack, as Compose says it: a name that Compose does not take is refused before anything uses it."""

import pytest

from flows.core.errors import BrokenStack, StackNotFound
from flows.tasks.stack import project
from flows.tasks.stack.project import stack_name

pytestmark = pytest.mark.unit

BAD = ["$$(touch x)", "a b", "Shop", "-a", "../a", "a/b", "a;b", "a\x1b[2J", "'a'"]


@pytest.mark.parametrize("name", BAD)
def test_a_name_that_compose_does_not_take_is_refused(tmp_path, monkeypatch, name):
    file = tmp_path / "compose.yaml"
    file.write_text(f"name: {name!r}\nservices: {{}}\n")
    monkeypatch.setattr(project.ComposeReader, "resolve", lambda _reader, text: text.replace("$$", "$"))
    with pytest.raises(BrokenStack, match="Compose takes no such name"):
        stack_name(str(file))


@pytest.mark.parametrize("name", BAD)
def test_nor_is_it_taken_from_the_env_file(tmp_path, monkeypatch, name):
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    monkeypatch.setattr(project, "local_variables", lambda *_args: {"COMPOSE_PROJECT_NAME": name})
    with pytest.raises(BrokenStack, match=r"COMPOSE_PROJECT_NAME in .*Compose takes no such name"):
        stack_name(str(tmp_path / "compose.yaml"))


@pytest.mark.parametrize("name", [*BAD, ""])
def test_nor_is_one_taken_that_was_given(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StackNotFound):
        stack_name(f"{name}x\n")


@pytest.mark.parametrize("name", ["shop", "a_b", "0-1"])
def test_what_compose_takes_is_taken(tmp_path, name):
    (tmp_path / "compose.yaml").write_text(f"name: {name!r}\nservices: {{}}\n")
    assert stack_name(str(tmp_path / "compose.yaml")) == name
