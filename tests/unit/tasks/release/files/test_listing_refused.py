"""Links that lead out, trees over the limit, and files that cannot be read are refused by name."""

import os

import pytest

from flows.core.errors import LinkLeadsOut, ReleaseTooLarge, UnreadableFile
from flows.tasks.release.files import looking, walk
from tests.support.files.trees import link

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("target", ["/etc/passwd", "../../other", "../elsewhere/x", "sub/../../x"])
def test_a_link_that_leads_out_is_refused_by_name(checkout, monkeypatch, target):
    checkout.write("conf/sub/a")
    (checkout.root / "conf/out").symlink_to(target)
    with pytest.raises(LinkLeadsOut, match=r"^conf/out → "):
        checkout.list(monkeypatch)
    checkout.write(".slipwayignore", "!conf/out\n")
    assert checkout.list(monkeypatch).tree["files/conf/out"] == link(target)
    checkout.write(".slipwayignore", "conf/out\n")
    assert "files/conf/out" not in checkout.list(monkeypatch).tree


def test_a_link_that_leads_out_by_another_one_is_refused(checkout, monkeypatch):
    checkout.write("conf/a")
    (checkout.root / "conf/self").symlink_to(".")
    (checkout.root / "conf/out").symlink_to("self/../secret")
    with pytest.raises(LinkLeadsOut, match=r"^conf/out → "):
        checkout.list(monkeypatch)


def test_a_link_to_another_mounted_path_is_no_way_out(checkout, monkeypatch):
    checkout.mounts.append("./other:/other:ro")
    checkout.write("conf/a")
    checkout.write("other/b")
    (checkout.root / "conf/l").symlink_to("../other/b")
    assert checkout.list(monkeypatch).tree["files/conf/l"] == link("../other/b")


@pytest.mark.parametrize("writable", ["", ":ro"])
def test_a_mounted_link_is_what_it_leads_to(checkout, monkeypatch, writable):
    checkout.mounts = [f"./current:/x{writable}"]
    checkout.write("releases/v2/a")
    (checkout.root / "current").symlink_to("releases/v2")
    place = "files" if writable else "seed"
    assert checkout.shipped(monkeypatch) == {f"{place}/current/a"}


def test_a_mount_of_a_link_inside_of_another_mount(checkout, monkeypatch):
    checkout.mounts.append("./conf/current:/x:ro")
    checkout.write("conf/v2/a")
    (checkout.root / "conf/current").symlink_to("v2")
    tree = checkout.list(monkeypatch).tree
    assert (tree["files/conf/current"], "files/conf/current/a" in tree) == (link("v2"), False)


def test_a_mount_of_a_link_that_leads_out_says_so(checkout, monkeypatch):
    checkout.mounts.append("./conf/ext:/x:ro")
    checkout.write("conf/a")
    checkout.write("elsewhere/b")
    (checkout.root / "conf/ext").symlink_to("../elsewhere")
    assert checkout.shipped(monkeypatch) == {"files/conf/a", "files/conf/ext/b"}


# Limits, and what goes wrong while it is read.


def test_a_tree_over_the_limit_is_refused_before_anything_is_read(checkout, monkeypatch):
    large = checkout.write("conf/large")
    os.truncate(large, 3_000_000_000)
    monkeypatch.setattr(looking, "_look", lambda *_: pytest.fail("a file was read"))
    with pytest.raises(
        ReleaseTooLarge, match=r"more than 1,000 MB \(SLIPWAY_SHIPS_MEGABYTES\); .* conf/large|/conf/large"
    ):
        checkout.list(monkeypatch)


def test_more_files_than_the_limit_are_refused(checkout, monkeypatch):
    for number in range(5):
        checkout.write(f"conf/{number}")
    with pytest.raises(ReleaseTooLarge, match=r"more than 3 files and directories \(SLIPWAY_SHIPS_ENTRIES\)"):
        checkout.list(monkeypatch, ships_entries=3)
    assert len(checkout.shipped(monkeypatch, ships_entries=10)) == 5


def test_a_file_that_vanishes_while_it_is_read_is_told_by_name(checkout, monkeypatch):
    gone = checkout.write("conf/gone")
    walked = walk.walk

    def vanish(*args):
        found = walked(*args)
        gone.unlink()
        return found

    monkeypatch.setattr(looking, "walk", vanish)
    with pytest.raises(UnreadableFile, match=r"conf/gone vanished while it was read\. Stop what writes there"):
        checkout.list(monkeypatch)


def test_a_file_that_grows_while_it_is_read_is_told_by_name(checkout, monkeypatch):
    growing = checkout.write("conf/growing")
    walked = walk.walk

    def grow(*args):
        found = walked(*args)
        growing.write_text("more")
        return found

    monkeypatch.setattr(looking, "walk", grow)
    with pytest.raises(UnreadableFile, match="conf/growing changed while it was read"):
        checkout.list(monkeypatch)


@pytest.mark.parametrize("what", ["directory", "file"])
def test_what_cannot_be_read_is_told_by_name(checkout, monkeypatch, what):
    checkout.write("conf/locked/a")
    place = str(checkout.root / "conf/locked")

    def refuse(name, real):
        def call(path, *args, **more):
            if str(path).startswith(place):
                raise PermissionError(13, "Permission denied", path)
            return real(path, *args, **more)

        return call

    if what == "directory":
        monkeypatch.setattr(os, "scandir", refuse("scandir", os.scandir))
    else:
        monkeypatch.setattr(looking, "open", refuse("open", open), raising=False)
    with pytest.raises(
        UnreadableFile, match=r"conf/locked(/a)? cannot be read: Permission denied. Let this user read it"
    ):
        checkout.list(monkeypatch)


# What is said.
