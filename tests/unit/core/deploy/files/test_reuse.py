"""What a new release takes from an earlier one: linked where it is the same, sent where it is not; by `sh`."""

import os

import pytest
from hypothesis import HealthCheck, given, settings

from flows.core.deploy.files.droplet_trees import tree_id
from flows.core.deploy.files.reuse import plan_reuse
from flows.core.release.bundle import File
from flows.core.release.tree import dump_tree
from tests.support.builders import release
from tests.support.fake_droplet import Host, make_host
from tests.support.files.trees import bring, contents, file, link

pytestmark = pytest.mark.unit

OWN = {"release.json": File(b"{}"), "override.yml": File(b"{}"), "files/compose.yml": File(b"services: {}")}
WHAT = release(compose_files=("compose.yml",))


@pytest.fixture
def host(tmp_path):
    return make_host(tmp_path)


def deploy(host: Host, name: str, held: dict, *, reuse: bool = True, now: int = 1000) -> set[str]:
    """Put a release in force; returns the mounted files that were sent."""
    tree, files = bring("files/conf", held)
    own = {**OWN, "tree.json": File(dump_tree(tree))}
    assert host.deploy(name, own, WHAT, tree=tree, contents=files, reuse=reuse, now=now) == {}
    return {one.removeprefix("files/conf/") for one in host.sent if one in files}


def test_only_the_same_content_with_the_same_mode_is_taken_also_where_a_directory_was_renamed():
    there = {"files/a": file(b"1"), "files/b": file(b"2"), "files/old/c": file(b"3"), "files/l": link("x")}
    new = {
        "files/a": file(b"1"), "files/b": file(b"2", 0o600), "files/new/c": file(b"3"), "files/l": link("x"),
        "files/other": file(b"1"),
    }  # fmt: skip
    standing = {name: f"f 644 1 {entry.changed}" for name, entry in there.items()} | {"files/l": "l 777 1 0"}
    plan = plan_reuse(new, there, standing)
    assert plan.names == {"files/a": "files/a", "files/new/c": "files/old/c"}
    assert (plan.unwanted, plan.moved, plan.touched) == (("files/old/c",), {"files/new": ["files/old/c"]}, 0)


def test_what_is_there_is_not_sent_again(host):
    held = {"same": b"1", "changed": b"1", "mode": (b"1", 0o644), "dir/moved": b"moved", "gone": b"1"}
    assert deploy(host, "v1.a", held) == set(held)
    after = {"same": b"1", "changed": b"2", "mode": (b"1", 0o600), "renamed/moved": b"moved", "new": b"1"}
    assert deploy(host, "v2.b", after, now=2000) == {"changed", "mode", "new"}
    conf = host.current("files/conf")
    assert sorted(path.name for path in conf.iterdir()) == ["changed", "mode", "new", "renamed", "same"]
    assert (conf / "same").stat().st_ino == (host.path / "releases/v1.a/files/conf/same").stat().st_ino
    assert (conf / "renamed/moved").read_bytes() == b"moved"
    assert ((conf / "changed").read_bytes(), (conf / "mode").stat().st_mode & 0o777) == (b"2", 0o600)


def test_the_release_before_stays_as_it_was(host):
    deploy(host, "v1.a", {"a": b"1", "b": b"1"})
    deploy(host, "v2.b", {"a": b"2", "b": b"1"})
    old = host.path / "releases/v1.a/files/conf"
    assert ((old / "a").read_bytes(), (old / "b").read_bytes()) == (b"1", b"1")


def test_a_file_has_the_time_at_which_its_content_came(host):
    deploy(host, "v1.a", {"a": b"1", "b": b"1"}, now=1000)
    deploy(host, "v2.b", {"a": b"1", "b": b"2"}, now=2000)
    deploy(host, "v3.c", {"a": b"1", "b": b"2"}, now=3000)
    conf = host.current("files/conf")
    assert ((conf / "a").stat().st_mtime, (conf / "b").stat().st_mtime) == (1000, 2000)


@pytest.mark.parametrize("how", ["edited", "edited in place, as long", "mode", "deleted", "replaced by a link"])
def test_a_file_that_somebody_touched_on_the_droplet_is_sent_again(host, how):
    deploy(host, "v1.a", {"a": b"1", "b": b"1"})
    a = host.current("files/conf/a")
    if how == "edited":
        a.write_bytes(b"longer")
    elif how == "edited in place, as long":
        a.write_bytes(b"x")
    elif how == "mode":
        a.chmod(0o666)
    else:
        a.unlink()
        if how == "replaced by a link":
            a.symlink_to("b")
    sent = deploy(host, "v2.b", {"a": b"1", "b": b"1"})
    assert "a" in sent
    assert host.current("files/conf/a").read_bytes() == b"1"
    assert host.current("files/conf/a").stat().st_mode & 0o777 == 0o644
    assert not host.current("files/conf/a").is_symlink()


def test_what_somebody_put_beside_the_files_does_not_come_along(host):
    deploy(host, "v1.a", {"a": b"1"})
    host.current("files/conf/extra").write_text("x")
    deploy(host, "v2.b", {"a": b"1"})
    assert os.listdir(host.current("files/conf")) == ["a"]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents(), contents())
def test_with_or_without_reuse_the_same_stands_there(tmp_path_factory, first, second):
    host = make_host(tmp_path_factory.mktemp("droplet"))
    deploy(host, "v1.a", first)
    deploy(host, "v2.b", second)
    deploy(host, "v2.c", second, reuse=False)
    one, other = (host.path / f"releases/{name}/files" for name in ("v2.b", "v2.c"))
    for path in other.rglob("*"):
        twin = one / path.relative_to(other)
        assert path.lstat().st_mode == twin.lstat().st_mode
        assert not path.is_file() or path.is_symlink() or path.read_bytes() == twin.read_bytes()
    assert len(list(one.rglob("*"))) == len(list(other.rglob("*")))


def test_among_kept_releases_the_one_with_the_same_files_is_found(host):
    trees = {}
    for name, text in (("v1.a", b"1"), ("v2.b", b"2")):
        deploy(host, name, {"a": text})
        trees[name] = tree_id((host.path / f"releases/{name}/tree.json").read_bytes())
        (host.path / f"releases/{name}/tree.id").write_text(f"{trees[name]}\n")
    assert [host.trees(wanted).twin[0] for wanted in (trees["v1.a"], trees["v2.b"], "unknown")] == [
        "v1.a",
        "v2.b",
        "v2.b",
    ]


def test_a_droplet_without_releases_has_no_trees(host):
    found = host.trees()
    assert (found.twin, found.bases, found.named) == (("", {}), (), {})


def test_a_damaged_tree_counts_as_none(host):
    deploy(host, "v1.a", {"a": b"1"})
    (host.path / "releases/v1.a/tree.json").write_text("{")
    assert (host.trees().twin, host.trees().bases) == (("v1.a", {}), ())


def test_after_an_interrupted_run_both_trees_count(host):
    deploy(host, "v1.a", {"a": b"1"})
    deploy(host, "v2.b", {"a": b"2"})
    (host.path / "bringing").write_text("v1.a\n")
    assert [tree["files/conf/a"].digest for tree in host.trees().bases] == [file(b"2").digest, file(b"1").digest]
