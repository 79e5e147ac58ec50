"""What ships with a release, over real files."""

import hashlib
import os
import socket
from dataclasses import replace

import pytest

from flows.core.errors import BrokenStack
from flows.core.release.tree import Entry
from tests.support.files.checkout import Checkout
from tests.support.files.trees import HOSTILE, directory, link

pytestmark = pytest.mark.unit


def test_files_ship_with_their_modes_names_links_and_empty_directories(checkout, monkeypatch):
    for number, name in enumerate(HOSTILE):
        checkout.write(f"conf/{name}", f"{number}", 0o600 if number % 2 else 0o755)
    (checkout.root / "conf/empty").mkdir(mode=0o750)
    (checkout.root / "conf/empty").chmod(0o750)
    (checkout.root / "conf/current").symlink_to("empty")
    tree = checkout.list(monkeypatch).tree
    for number, name in enumerate(HOSTILE):
        digest = hashlib.sha256(f"{number}".encode()).hexdigest()
        size = len(f"{number}")
        assert tree[f"files/conf/{name}"] == Entry("file", 0o600 if number % 2 else 0o755, size, digest)
    assert tree["files/conf/empty"] == directory(0o750)
    assert tree["files/conf/current"] == link("empty")


def test_what_services_write_to_is_brought_from_a_place_apart(checkout, monkeypatch):
    checkout.mounts = ["./conf:/conf", "./ro:/ro:ro"]
    checkout.write("conf/a")
    checkout.write("ro/b")
    assert checkout.shipped(monkeypatch) == {"seed/conf/a", "files/ro/b"}


def test_a_single_file_ships(checkout, monkeypatch):
    checkout.mounts = ["./app.yaml:/a:ro", "./b.yaml:/b"]
    checkout.write("app.yaml", mode=0o400)
    checkout.write("b.yaml")
    assert checkout.shipped(monkeypatch) == {"files/app.yaml", "seed/b.yaml"}


def test_a_directory_that_is_not_there_yet_brings_nothing(checkout, monkeypatch):
    checkout.mounts = ["./data:/data"]
    checkout.root.mkdir(parents=True)
    assert checkout.list(monkeypatch).tree == {}


# Env and secret files: never, under no name.


def test_what_the_ignore_file_names_does_not_ship_and_is_told(checkout, monkeypatch):
    for path in ("conf/a.log", "conf/keep.log", "conf/dir/b", "conf/sub/c.tmp", "conf/c"):
        checkout.write(path)
    checkout.write(".slipwayignore", "*.log\n!keep.log\n/conf/dir/\n")
    checkout.write("conf/sub/.slipwayignore", "*.tmp\n")
    assert checkout.shipped(monkeypatch) == {"files/conf/keep.log", "files/conf/c", "files/conf/sub/.slipwayignore"}
    assert ("info", "✓ conf/a.log, conf/dir, conf/sub/c.tmp: left out, .slipwayignore names it") in checkout.said


def test_what_git_ignores_does_not_ship_and_is_told_by_name(checkout, monkeypatch):
    for path in ("conf/a", "conf/gen/x", "conf/gen/y", "conf/b.log", "conf/tracked.log", "conf/new"):
        checkout.write(path)
    checkout.write(".gitignore", "*.log\ngen/\n")
    checkout.commit("conf/a", "conf/tracked.log", ".gitignore")
    assert checkout.shipped(monkeypatch) == {"files/conf/a", "files/conf/tracked.log", "files/conf/new"}
    told = [words for level, words in checkout.said if level == "warning"]
    assert told == ["conf/b.log, conf/gen: left out, git ignores it (to ship it: !PATH in .slipwayignore)"]


@pytest.mark.parametrize("how", ["a mount of it", "the ignore file", "a setting"])
def test_what_git_ignores_ships_when_it_is_named(checkout, monkeypatch, how):
    checkout.write("conf/gen/x")
    checkout.write("conf/a")
    checkout.write(".gitignore", "gen/\n")
    checkout.commit(".gitignore", "conf/a")
    settings = {}
    if how == "a mount of it":
        checkout.mounts.append("./conf/gen/x:/x:ro")
    elif how == "the ignore file":
        checkout.write(".slipwayignore", "!conf/gen/\n")
    else:
        settings["ships"] = ("gen/",)
    assert checkout.shipped(monkeypatch, **settings) == {"files/conf/a", "files/conf/gen/x"}


def test_data_that_git_ignores_is_a_service_s_own_and_never_seeds_another_host(checkout, monkeypatch):
    checkout.mounts = ["./data:/data"]
    checkout.write("data/rows")
    checkout.write(".gitignore", "/data\n")
    checkout.commit(".gitignore")
    assert checkout.list(monkeypatch).tree == {}
    assert any(
        words.startswith("data: left out, git ignores it, and services write there") for _, words in checkout.said
    )
    assert checkout.shipped(monkeypatch, ships=("data/",)) == {"seed/data/rows"}


def test_names_that_git_would_take_for_patterns_are_names(checkout, monkeypatch):
    checkout.mounts = ["./con*f:/conf:ro"]
    checkout.write("con*f/a.log")
    checkout.write("con*f/b")
    checkout.write(".gitignore", "*.log\n")
    checkout.commit(".gitignore")
    assert checkout.shipped(monkeypatch) == {"files/con*f/b"}


def test_git_s_own_and_what_is_no_file_stay_behind(checkout, monkeypatch):
    checkout.mounts = [".:/app:ro"]
    checkout.write("a")
    checkout.commit()
    os.mkfifo(checkout.root / "pipe")
    with socket.socket(socket.AF_UNIX) as one:
        os.chdir(checkout.root)
        one.bind("socket")
        assert checkout.shipped(monkeypatch) == {"files/a", "files/compose.yaml"}
    told = {words for _, words in checkout.said}
    assert "✓ .git: left out, it is git's own" in told
    assert "pipe, socket: left out, it is neither a file, a directory nor a link" in told


def test_a_mount_that_the_ignore_file_names_is_a_contradiction(checkout, monkeypatch):
    checkout.write("conf/a")
    checkout.write(".slipwayignore", "conf\n")
    with pytest.raises(BrokenStack, match=r"the stack mounts .*/conf, and \.slipwayignore leaves it out"):
        checkout.list(monkeypatch)


# Links.


def test_what_ships_is_said_in_lines_and_rows(checkout, monkeypatch):
    checkout.mounts.append("./data:/data")
    checkout.write("conf/a", "12345")
    checkout.write("data/b", "1")
    checkout.write("conf/app.env", "A=12345")
    checkout.env_files = ["conf/app.env"]
    found = checkout.list(monkeypatch)
    assert [words for _, words in checkout.said] == [
        "✓ 2 files (6 bytes) of the source ship with the release",
        "✓ conf ships 1 file (5 bytes)",
        "✓ data ships 1 file (1 bytes), which services may change: what they write there stays",
        "✓ conf/app.env: the content comes from the environment block, and does not ship",
    ]
    assert [row["path"] for row in found.rows()] == ["conf", "data", "conf/app.env"]


def test_nothing_is_said_where_nothing_is_mounted(checkout, monkeypatch):
    checkout.mounts = []
    checkout.root.mkdir(parents=True)
    checkout.list(monkeypatch)
    assert checkout.said == []


def test_two_services_that_write_to_one_directory_are_allowed_and_told(checkout, monkeypatch):
    checkout.mounts = ["./data:/data"]
    checkout.write("data/a")
    read = Checkout.source

    def with_two(self, settings):
        source = read(self, settings)
        (path,) = source.sources.writers
        return replace(source, sources=replace(source.sources, writers={path: ("app", "job", "web")}))

    monkeypatch.setattr(Checkout, "source", with_two)
    assert checkout.shipped(monkeypatch) == {"seed/data/a"}
    assert ("warning", "data is written by app, job and web: each sees what the others write") in checkout.said
