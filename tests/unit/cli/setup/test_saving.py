"""Saving a block: where its secret comes from, and that it is tried."""

import io
import os
import threading
from pathlib import Path

import pytest

import blocks
from blocks.errors import Unreachable
from flows.cli.setup import saving
from flows.cli.setup.saving import reach_all, read_key_file, read_secret, save_block
from flows.cli.terminal.console import SummaryConsole
from flows.core.errors import KeyFileOpen
from flows.tasks.runs import blocks as saved
from flows.tasks.traffic import switch

pytestmark = pytest.mark.unit


class Block:
    """Keeps the names it was saved by."""

    def __init__(self, trouble: str = "") -> None:
        self.trouble = trouble
        self.saved: list[tuple[str, bool]] = []

    def save(self, name: str, *, overwrite: bool) -> None:
        self.saved.append((name, overwrite))

    def reach(self) -> str:
        if self.trouble:
            raise Unreachable(self.trouble)
        return "It answers"


def test_a_secret_comes_from_its_file(tmp_path: Path):
    (tmp_path / "token").write_text("s3cret\n")
    assert read_secret("Token", tmp_path / "token") == "s3cret"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o620])
def test_a_private_key_that_others_can_read_is_refused_and_not_shown(tmp_path: Path, mode: int):
    key = tmp_path / "id_ed25519"
    key.write_text("PRIVATE")
    key.chmod(mode)
    with pytest.raises(KeyFileOpen, match=rf"can be read by others \(mode {mode:04o}\).*chmod 600 {key}") as refused:
        read_key_file(key)
    assert "PRIVATE" not in str(refused.value)
    key.chmod(mode & 0o700)
    assert read_key_file(key) == "PRIVATE"


def test_a_private_key_may_come_from_a_pipe(tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o644)
    writer = threading.Thread(target=pipe.write_text, args=("PRIVATE",))
    writer.start()
    assert read_key_file(pipe) == "PRIVATE"
    writer.join()


def test_or_from_a_pipe(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("s3cret\nmore\n"))
    assert read_secret("Token", None) == "s3cret"


def test_or_is_asked_for_without_being_shown(monkeypatch):
    asked = []

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(saving.typer, "prompt", lambda what, **how: asked.append((what, how)) or "s3cret")
    assert read_secret("Token", None) == "s3cret"
    assert asked == [("Token", {"hide_input": True})]


def test_a_block_is_saved_over_the_one_before_and_tried(capsys):
    block = Block()
    save_block(block, "registry")
    assert block.saved == [("registry", True)]
    assert capsys.readouterr().out == "Saved registry. Trying it.\nIt answers.\n"


def test_check_tries_every_block_and_says_which_one_fails(monkeypatch):
    monkeypatch.setattr(saved, "saved_names", lambda kind: ["green", "blue"] if kind is blocks.Droplet else [])
    monkeypatch.setattr(switch, "KINDS", ())
    monkeypatch.setattr(blocks.Droplet, "load", lambda name: Block("[no] route" if name == "blue" else ""))
    file = io.StringIO()
    assert reach_all(SummaryConsole(file=file)) is False
    assert file.getvalue() == "✓ It answers\n✗ [no] route\n"
