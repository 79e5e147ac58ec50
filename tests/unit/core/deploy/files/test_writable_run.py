"""What a release brings to writable paths, really brought: by `sh`, over names of all sorts, beside a service."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.core.deploy.files.staging_scripts import place_script
from flows.core.deploy.files.writable import BOTH, DELETED, GONE
from flows.core.deploy.files.writable_scripts import bring_script
from tests.support.builders import release
from tests.support.fake_droplet import FILES, Host, make_host
from tests.support.files.trees import bring, contents, part

pytestmark = pytest.mark.unit

OWN = {name: file for name, file in FILES.items() if not name.startswith("seed/")}
WHAT = release(compose_files=("compose.yml",), state=("data",))


@pytest.fixture
def host(tmp_path):
    return make_host(tmp_path)


def deploy(host: Host, name: str, held: dict, what=WHAT) -> dict[str, str]:
    tree, files = bring("seed/data", held)
    return host.deploy(name, OWN, what, tree=tree, contents=files)


def seen(root: Path) -> dict:
    """What stands below a directory, in the form that `bring` takes."""
    found = {}
    for path in root.rglob("*"):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = os.readlink(path)
        else:
            mode = stat.S_IMODE(path.stat().st_mode)
            found[name] = (path.read_bytes(), mode) if path.is_file() else None
    return found


def whole(held: dict) -> dict:
    """Contents with the directories that hold them."""
    above = {"/".join(n.split("/")[:depth]): None for n in held for depth in range(1, len(n.split("/")))}
    return {**above, **held}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents(), contents())
def test_a_directory_that_no_service_writes_to_is_what_the_last_release_brought(tmp_path_factory, first, second):
    host = make_host(tmp_path_factory.mktemp("droplet"))
    data = host.path / "shared/data"
    assert deploy(host, "v1.a", first) == {}
    assert seen(data) == whole(first)
    assert deploy(host, "v2.b", second) == {}
    assert seen(data) == whole(second)
    assert host.go_back("v1.a", WHAT) == {}
    assert seen(data) == whole(first)


service = st.dictionaries(part, st.none() | st.just(b"written by the service"), max_size=4)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(part, st.binary(max_size=5), max_size=5), st.dictionaries(part, st.binary(max_size=5)), service)
def test_nothing_that_a_service_wrote_is_lost_and_all_else_is_brought(tmp_path_factory, first, second, written):
    host = make_host(tmp_path_factory.mktemp("droplet"))
    data = host.path / "shared/data"
    deploy(host, "v1.a", first)
    for name, content in written.items():
        if content is None:
            (data / name).unlink(missing_ok=True)
        else:
            (data / name).write_bytes(content)
    kept = deploy(host, "v2.b", second)
    there = {name: held[0] for name, held in seen(data).items()}
    for name in {*first, *second, *written}:
        if name not in written or (written[name] is None and name not in first):
            assert there.get(name) == second.get(name)
        elif written[name] is not None:
            assert there[name] == written[name]
        else:
            assert name not in there
    expected = {
        f"data/{name}": why
        for name, content in written.items()
        if first.get(name) != second.get(name) and (why := _reason(first.get(name), second.get(name), content))
    }
    assert kept == expected


def _reason(first: bytes | None, second: bytes | None, written: bytes | None) -> str:
    if written is None:
        return DELETED if first is not None and second is not None else ""
    return BOTH if second is not None else GONE


def test_a_single_file_is_brought_up_to_date(host):
    what = release(compose_files=("compose.yml",), state=("conf/app.yaml",))
    for name, text in (("v1.a", b"one"), ("v2.b", b"two")):
        tree, files = bring("seed/conf", {"app.yaml": text})
        del tree["seed/conf"]
        assert host.deploy(name, OWN, what, tree=tree, contents=files) == {}
        assert host.current("files/conf/app.yaml").read_bytes() == text
    (host.path / "shared/conf/app.yaml").write_text("mine")
    tree, files = bring("seed/conf", {"app.yaml": b"three"})
    del tree["seed/conf"]
    assert host.deploy("v3.c", OWN, what, tree=tree, contents=files) == {"conf/app.yaml": BOTH}
    assert host.current("files/conf/app.yaml").read_text() == "mine"


def test_what_a_service_writes_between_the_look_and_the_change_stays(host):
    deploy(host, "v1.a", {"a": b"1", "b": b"1", "c": b"1"})
    tree, files = bring("seed/data", {"a": b"2", "b": b"2", "new": b"2"})
    host.stage("v2.b", OWN, WHAT, tree=tree, contents=files)
    bringing = host.compare("v2.b", tree, WHAT)
    data = host.path / "shared/data"
    for name in ("a", "c", "new"):
        (data / name).write_text("quick")
    assert host.switch("v2.b", bringing) == dict.fromkeys(["data/a", "data/c", "data/new"], "quicker")
    assert {path.name: path.read_text() for path in data.iterdir()} == {
        "a": "quick", "b": "2", "c": "quick", "new": "quick",
    }  # fmt: skip


def test_a_run_that_was_cut_while_it_brought_files_is_finished_or_undone_by_the_next(host):
    deploy(host, "v1.a", {"a": b"1", "b": b"1"})
    tree, files = bring("seed/data", {"a": b"2", "b": b"2"})
    host.stage("v2.b", OWN, WHAT, tree=tree, contents=files)
    bringing = host.compare("v2.b", tree, WHAT)
    host.sh(place_script(host.home, "v2.b"))
    script = bring_script(host.home, "v2.b", bringing).splitlines(keepends=True)
    last = max(number for number, line in enumerate(script) if line.startswith(b"put "))
    host.sh("sh", b"".join(script[:last]))
    data = host.path / "shared/data"
    assert seen(data) == {"a": (b"2", 0o644), "b": (b"1", 0o644)}
    assert (host.path / "bringing").read_text() == "v2.b\n"
    assert host.go_back("v1.a", WHAT) == {}
    assert seen(data) == {"a": (b"1", 0o644), "b": (b"1", 0o644)}
    assert not (host.path / "bringing").exists()


def test_a_mounted_path_that_somebody_moved_to_another_disk_is_still_brought_up_to_date(host):
    deploy(host, "v1.a", {"a": b"1"})
    (host.path / "shared/data").rename(host.root / "disk")
    (host.path / "shared/data").symlink_to(host.root / "disk")
    assert deploy(host, "v2.b", {"a": b"2", "sub/b": b"2"}) == {}
    assert (host.path / "shared/data").is_symlink()
    assert (host.root / "disk/a").read_bytes() == b"2"


def test_nothing_is_written_through_a_link_that_a_service_made(host):
    deploy(host, "v1.a", {"sub/a": b"1"})
    outside = host.root / "outside"
    outside.mkdir()
    (outside / "a").write_text("1")
    sub = host.path / "shared/data/sub"
    (sub / "a").unlink()
    sub.rmdir()
    sub.symlink_to(outside)
    assert list(deploy(host, "v2.b", {"sub/a": b"2"})) == ["data/sub/a"]
    assert (outside / "a").read_text() == "1"


def test_a_directory_that_was_wiped_is_brought_again(host):
    deploy(host, "v1.a", {"a": b"1"})
    (host.path / "shared/data/a").unlink()
    (host.path / "shared/data").rmdir()
    deploy(host, "v2.b", {"a": b"1"})
    assert seen(host.path / "shared/data") == {"a": (b"1", 0o644)}


def test_a_file_that_cannot_be_read_is_the_service_s_and_hides_no_other(host, monkeypatch):
    deploy(host, "v1.a", {"a": b"1", "b": b"1"})
    sums = host.root / "bin/sha256sum"  # for root there is no such file: one that fails as it would
    sums.write_text('#!/bin/sh\n[ $# = 0 ] || exit 1\ntext=$(cat)\n[ "$text" != locked ] || exit 1\n'
                    'printf %s "$text" | /usr/bin/sha256sum\n')  # fmt: skip
    sums.chmod(0o755)
    (host.path / "shared/data/a").write_text("locked")
    tree, files = bring("seed/data", {"a": b"2", "b": b"2"})
    host.stage("v2.b", OWN, WHAT, tree=tree, contents=files)
    bringing = host.compare("v2.b", tree, WHAT)
    assert (dict(bringing.kept), [change.path for change in bringing.changes]) == ({"data/a": BOTH}, ["data/b"])
