"""Copies of what services write to: whole or not at all, with modes and times, and nothing that stood there is lost."""

import os

import pytest

from flows.core.droplet.directories import StackDirectory
from flows.core.errors import UnreadableAnswer
from flows.core.traffic.adoption.copying import copy_script, look_at_copied_script, read_aside, read_copied
from flows.core.traffic.adoption.marker import CopiedPath
from tests.support.fake_droplet import make_host

pytestmark = pytest.mark.unit


@pytest.fixture
def host(tmp_path):
    host = make_host(tmp_path)
    host.path.mkdir(parents=True)
    return host


def copies(host, **sources: str) -> list[CopiedPath]:
    return [CopiedPath(source=str(host.root / source), place=place) for place, source in sources.items()]


def copied(host, paths: list[CopiedPath]):
    home = StackDirectory(host.home.directory, "shop-home")
    return host.sh(copy_script(home, paths)), host.path.parent / "shop-home/shared"


def test_a_directory_comes_with_its_modes_times_and_links(host):
    (host.root / "it's $a/b").mkdir(parents=True)
    file = host.root / "it's $a/b/c"
    file.write_text("kept")
    file.chmod(0o640)
    os.utime(file, (1, 1))
    (host.root / "it's $a/link").symlink_to("b")
    done, shared = copied(host, copies(host, uploads="it's $a"))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    found = (shared / "uploads/b/c").stat()
    assert (found.st_mode & 0o777, found.st_mtime) == (0o640, 1)
    assert os.readlink(shared / "uploads/link") == "b"
    assert file.read_text() == "kept"


def test_a_path_that_is_a_link_is_followed(host):
    (host.root / "real").mkdir()
    (host.root / "real/a").write_text("x")
    (host.root / "link").symlink_to("real")
    _, shared = copied(host, copies(host, uploads="link"))
    assert not (shared / "uploads").is_symlink()
    assert (shared / "uploads/a").read_text() == "x"


def test_a_single_file_is_copied_too(host):
    (host.root / "one.db").write_text("x")
    _, shared = copied(host, [CopiedPath(source=str(host.root / "one.db"), place="deep/er/one.db")])
    assert (shared / "deep/er/one.db").read_text() == "x"


def test_an_empty_directory_in_its_place_gives_way_and_anything_else_goes_aside(host):
    (host.root / "a").mkdir()
    (host.root / "a/new").write_text("new")
    paths = copies(host, first="a", second="a")
    shared = host.path.parent / "shop-home/shared"
    (shared / "first").mkdir(parents=True)
    (shared / "second").mkdir()
    (shared / "second/old").write_text("old")
    done, _ = copied(host, paths)
    [words] = read_aside(done.stdout.decode(), paths)
    [kept] = (host.path.parent / ".adopted").glob("shop-home.kept.*")
    assert words == f"what stood at second is in {kept}"
    assert (kept / "second/old").read_text() == "old"
    assert [sorted(path.name for path in (shared / name).iterdir()) for name in ("first", "second")] == [["new"]] * 2


def test_what_an_earlier_cut_copy_left_is_not_part_of_the_next(host):
    (host.root / "a").mkdir()
    left = host.path.parent / ".adopted/shop-home.coming/copy"
    left.mkdir(parents=True)
    (left / "half").write_text("x")
    done, shared = copied(host, copies(host, uploads="a"))
    assert done.returncode == 0
    assert list((shared / "uploads").iterdir()) == []


def test_a_path_that_is_gone_ends_it_and_says_so(host):
    done, shared = copied(host, copies(host, uploads="nowhere"))
    assert done.returncode == 1
    assert b"nowhere is not there any more" in done.stderr
    assert not (shared / "uploads").exists()


def test_sizes_are_found_and_nothing_is_changed(host):
    (host.root / "a").mkdir()
    (host.root / "a/b").write_bytes(b"x" * 100_000)
    paths = copies(host, one="a", two="nowhere")
    host.tell_docker()
    before = sorted(host.root.rglob("*"))
    [one, two] = read_copied(host.sh(look_at_copied_script(host.home.directory, paths)).stdout.decode(), paths)
    assert one.size >= 100_000
    assert one.free > 0
    assert (one.others, two.size) == (False, None)
    assert sorted(host.root.rglob("*")) == before


@pytest.mark.parametrize("said", ["", "path 0 1 1", "path 7 1 1 no", "path x 1 1 no"])
def test_an_answer_that_is_cut_is_refused(host, said):
    with pytest.raises(UnreadableAnswer):
        read_copied(said, copies(host, one="a"))
