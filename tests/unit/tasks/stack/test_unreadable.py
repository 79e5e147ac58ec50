"""What of a checkout cannot be read is told by name, in one sentence."""

import os
from pathlib import Path

import pytest

from flows.core.errors import BrokenStack, UnreadableFile
from flows.settings import Settings
from flows.tasks.explanation.explain_stack import explain_stack
from flows.tasks.release.publish import _content
from flows.tasks.stack.checks import _holds_source
from flows.tasks.stack.env_file import read_private
from flows.tasks.stack.environment import read_environment
from flows.tasks.stack.project import stack_name
from tests.support.stack.compose_client import needs_compose, write_files

pytestmark = pytest.mark.unit

STACK = {
    "compose.yaml": "services: {web: {image: x, env_file: [web.env], secrets: [key]}}\nsecrets: {key: {file: ./key}}",
    "web.env": "A=1",
    "key": "k",
}


@pytest.fixture
def locked(monkeypatch):
    """Makes one file unreadable, for root too."""

    def lock(path: Path) -> None:
        def refuse(real):
            def read(self, *args, **more):
                if self.resolve() == path.resolve():
                    raise PermissionError(13, "Permission denied", str(self))
                return real(self, *args, **more)

            return read

        for name in ("read_bytes", "read_text"):
            monkeypatch.setattr(Path, name, refuse(getattr(Path, name)))

    return lock


@needs_compose
@pytest.mark.parametrize("name", ["web.env", "key"])
def test_an_env_file_and_a_secret_file(tmp_path, locked, name):
    write_files(tmp_path, STACK)
    locked(tmp_path / name)
    with pytest.raises(UnreadableFile, match=rf"{name} cannot be read: Permission denied. Let this user read it"):
        read_environment(str(tmp_path), None)


@needs_compose
def test_the_stacks_own_env_file_is_explained_to_be_unreadable(tmp_path, locked):
    write_files(tmp_path, {**STACK, ".env": "A=1"})
    locked(tmp_path / ".env")
    found = explain_stack(str(tmp_path), None, Settings())
    assert "UnreadableFile" in {one.error for one in found.refusals}


def test_a_compose_file_that_is_no_text_has_no_name(tmp_path):
    (tmp_path / "compose.yaml").write_bytes(b"name: \xff\n")
    with pytest.raises(BrokenStack, match="no text file in UTF-8"):
        stack_name(str(tmp_path))


def test_a_compose_file_that_vanishes_while_a_release_is_made(tmp_path):
    with pytest.raises(UnreadableFile, match=r"compose\.yaml vanished while it was read"):
        _content(str(tmp_path / "compose.yaml"))


def test_what_is_no_file_is_no_secret(tmp_path):
    with pytest.raises(UnreadableFile, match="cannot be read: Is a directory"):
        read_private(str(tmp_path))


def test_a_directory_that_cannot_be_read_holds_no_source_that_anybody_knows_of(tmp_path, monkeypatch):
    write_files(tmp_path, {"a.txt": "", "locked/main.py": ""})
    assert _holds_source(str(tmp_path))
    real = os.scandir

    def refuse(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert not _holds_source(str(tmp_path))
