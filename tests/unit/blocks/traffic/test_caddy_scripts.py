"""The scripts that read and turn a switch of files, really run: one file, always, and nobody's turn is undone."""

import fcntl
import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from blocks.traffic import caddy_files
from tests.support import PATIENCE, wait_until

pytestmark = pytest.mark.unit

WORDS = '{"by": "me"}'
MOVED, UNUSABLE = 75, 73


@pytest.fixture
def edge(tmp_path):
    directory = tmp_path / "the edge's"
    directory.mkdir()
    return directory


def argv(script: str, *words: object) -> list[str]:
    return ["sh", "-c", script, "slipway-switch", *map(str, words)]


def run(script: str, *words: object, stdin: str = "", path: Path | None = None) -> subprocess.CompletedProcess:
    env = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"]}
    return subprocess.run(argv(script, *words), input=stdin, env=env, capture_output=True, text=True, check=False)


def read(edge: Path, **more) -> str:
    done = run(caddy_files.READ, edge, **more)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.removesuffix("\n")


def turn(edge: Path, to: str, seen: str | None = None, **more) -> subprocess.CompletedProcess:
    return run(caddy_files.TURN, edge, to, read(edge) if seen is None else seen, stdin=f"{WORDS}\n", **more)


def files(edge: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in edge.iterdir() if path.name != "lock"}


def tool(tmp_path: Path, name: str, does: str) -> Path:
    """A directory for PATH with one command that does something else."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / name).write_text(f"#!/bin/sh\n{does}\n")
    (tmp_path / "tools" / name).chmod(0o755)
    return tmp_path / "tools"


def test_a_directory_without_a_file_points_nowhere(edge):
    assert read(edge) == ""


def test_a_file_is_read_with_what_it_says_in_one_line(edge):
    (edge / "green").write_text('{"by":\n "me"}\n')
    (edge / "blue").touch()
    (edge / "red").touch()
    assert read(edge) == 'green {"by": "me"}\nblue '


@pytest.mark.parametrize(("now", "to"), [("green", "blue"), ("blue", "green")])
def test_a_turn_moves_the_one_file_and_says_who_did_it(edge, now, to):
    (edge / now).write_text("before\n")
    done = turn(edge, to)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{to} {WORDS}\n", "")
    assert files(edge) == {to: f"{WORDS}\n"}


@pytest.mark.parametrize("to", ["green", "blue"])
def test_from_nowhere_a_turn_makes_one_file(edge, to):
    assert turn(edge, to).stdout == f"{to} {WORDS}\n"
    assert files(edge) == {to: f"{WORDS}\n"}


def test_of_both_files_a_turn_leaves_one(edge):
    (edge / "green").touch()
    (edge / "blue").write_text("theirs")
    assert turn(edge, "blue").stdout == "blue theirs\n"
    assert files(edge) == {"blue": "theirs"}


def test_a_switch_that_is_there_already_is_left_alone(edge):
    (edge / "blue").write_text("theirs")
    assert turn(edge, "blue").returncode == 0
    assert files(edge) == {"blue": "theirs"}


def test_the_same_turn_sent_twice_is_made_once(edge):
    (edge / "green").touch()
    seen = read(edge)
    assert turn(edge, "blue", seen).returncode == 0
    assert turn(edge, "blue", seen).returncode == MOVED
    assert files(edge) == {"blue": f"{WORDS}\n"}


@pytest.mark.parametrize(
    "moved",
    [{"green": "by another"}, {"blue": ""}, {}, {"green": "", "blue": ""}],
    ids=["turned twice", "turned", "gone", "both"],
)
@pytest.mark.parametrize("to", ["green", "blue"])
def test_a_switch_that_another_moved_is_untouched(edge, moved, to):
    (edge / "green").touch()
    seen = read(edge)
    (edge / "green").unlink()
    for name, content in moved.items():
        (edge / name).write_text(content)
    done = turn(edge, to, seen)
    assert (done.returncode, done.stdout) == (MOVED, "")
    assert files(edge) == moved


@pytest.mark.parametrize(
    "content", [b"", b" \n", b"by hand\r\n", b"\xff\xfe", "M\u00fcller \u2028".encode(), b"x" * 3000, b"\0"]
)
def test_whatever_a_file_holds_its_switch_can_be_turned(edge, content):
    (edge / "green").write_bytes(content)
    mark = caddy_files.read_switch_files(f"{read(edge)}\n").mark
    assert turn(edge, "blue", mark).returncode == 0
    assert list(files(edge)) == ["blue"]


@pytest.mark.parametrize("place", ["/none/such", "/proc", "locked"])
def test_a_directory_that_cannot_be_written_is_said_to_be_unusable(tmp_path, place):
    (tmp_path / "locked/lock").mkdir(parents=True)
    done = turn(tmp_path / place, "blue", "")
    assert (done.returncode, done.stdout) == (UNUSABLE, "")
    assert done.stderr


def test_a_directory_that_is_not_there_cannot_be_read(tmp_path):
    assert run(caddy_files.READ, tmp_path / "none").returncode == UNUSABLE


@pytest.mark.parametrize("before", ["green", None])
def test_a_rename_that_fails_leaves_traffic_where_it_was(edge, tmp_path, before):
    if before:
        (edge / before).touch()
    done = turn(edge, "blue", path=tool(tmp_path, "mv", "echo 'disk on fire' >&2; exit 1"))
    assert (done.returncode, done.stderr) == (UNUSABLE, "disk on fire\n")
    assert read(edge).split(" ")[0] == (before or "")


@pytest.mark.parametrize("look", [1, 2])
def test_a_rename_while_it_is_read_is_not_taken_for_both(edge, tmp_path, look):
    count = f'echo >>looks; [ "$(wc -l <looks)" != {look} ] || mv green blue'
    (edge / "green").write_text("x")
    assert read(edge, path=tool(tmp_path, "head", f'"$(command -pv head)" "$@"; {count}')) == "blue x"


def waiters(lock) -> int:
    """How many processes wait for a lock, as the kernel lists them (proc_locks(5))."""
    inode = f":{os.fstat(lock.fileno()).st_ino} "
    return sum("->" in line and inode in line for line in Path("/proc/locks").read_text().splitlines())


@pytest.mark.parametrize(("start", "turns"), [("green", ("blue", "blue")), (None, ("green", "blue"))])
def test_of_two_turns_at_once_one_wins_and_one_file_is_left(edge, start, turns):
    if start:
        (edge / start).touch()
    seen, running = read(edge), []
    with (edge / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for to in turns:
            command = argv(caddy_files.TURN, edge, to, seen)
            running.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL))
            running[-1].stdin.write(f"{WORDS}\n".encode())
            running[-1].stdin.close()
        wait_until(lambda: waiters(lock) == len(running))
        assert list(files(edge)) == ([start] if start else [])
    codes = [one.wait(timeout=PATIENCE) for one in running]
    assert sorted(codes) == [0, MOVED]
    assert files(edge) == {turns[codes.index(0)]: f"{WORDS}\n"}


def test_at_no_moment_is_there_no_file(edge):
    """A look counts when it was shorter than any turn, so that not two of them fall into it (the Caddyfile's order)."""
    (edge / "green").touch()
    looks, nowhere, over = 0, 0, threading.Event()

    def look() -> None:
        nonlocal looks, nowhere
        while not over.is_set():
            began = time.monotonic()
            found = any(os.path.exists(edge / name) for name in ("blue", "green", "blue"))
            if time.monotonic() - began < 0.001:
                looks, nowhere = looks + 1, nowhere + (not found)

    watching = threading.Thread(target=look)
    watching.start()
    try:
        for to in ("blue", "green") * 8:
            assert turn(edge, to).returncode == 0
    finally:
        over.set()
        watching.join()
    assert (looks > 100, nowhere) == (True, 0)
