"""What ships, what is left out and told, and what is refused, over real files."""

import hashlib
import os
import socket

import pytest

from flows.core.errors import (
    BrokenStack,
    CredentialFound,
    LinkLeadsOut,
    ReleaseTooLarge,
    UnreadableFile,
)
from flows.core.release.tree import Entry
from flows.tasks.release import listing, walk
from tests.support.checkout import Checkout
from tests.support.trees import HOSTILE, directory, link

pytestmark = pytest.mark.unit

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----\n"


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path / "it's a checkout" / "shop", ["./conf:/conf:ro"])


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


@pytest.mark.parametrize("twin", ["itself", "hard link", "copy", "link"])
def test_an_env_file_ships_under_no_name_and_arrives_under_each(checkout, monkeypatch, twin):
    secret = checkout.write("app.env" if twin != "itself" else "conf/app.env", "COLOUR=LEAKME\n", 0o640)
    checkout.write("conf/other")
    checkout.env_files = [os.path.relpath(secret, checkout.root)]
    name = "conf/app.env" if twin == "itself" else "conf/twin"
    if twin == "hard link":
        os.link(secret, checkout.root / name)
    elif twin == "copy":
        checkout.write(name, "COLOUR=LEAKME\n", 0o640)
    elif twin == "link":
        checkout.mounts = ["./conf:/conf:ro", "./app.env:/x:ro"]
        (checkout.root / name).symlink_to("../app.env")
    tree = checkout.list(monkeypatch).tree
    if twin == "link":
        assert tree.pop("files/app.env").kind == "given"
        assert tree[f"files/{name}"] == link("../app.env")
    else:
        assert tree[f"files/{name}"] == Entry("given", 0o640, target=checkout.env_files[0])
    assert not any(entry.digest == hashlib.sha256(b"COLOUR=LEAKME\n").hexdigest() for entry in tree.values())


def test_what_only_the_block_holds_is_known_by_its_content_too(checkout, monkeypatch):
    checkout.write("conf/copy", "COLOUR=LEAKME\n")
    checkout.env_files, checkout.held = ["gone.env"], {"gone.env": b"COLOUR=LEAKME\n"}
    assert checkout.list(monkeypatch).tree["files/conf/copy"] == Entry("given", 0o644, target="gone.env")


def test_an_env_file_that_only_the_block_holds_arrives_in_a_mounted_directory(checkout, monkeypatch):
    checkout.write("conf/other")
    checkout.env_files, checkout.held = ["conf/app.env"], {"conf/app.env": b"A=1"}
    assert checkout.list(monkeypatch).tree["files/conf/app.env"] == Entry("given", 0o644, target="conf/app.env")


def test_an_env_file_arrives_though_git_and_the_ignore_file_leave_it_out(checkout, monkeypatch):
    checkout.write("conf/app.env", "A=1")
    checkout.write(".gitignore", "*.env\n")
    checkout.write(".slipwayignore", "*.env\n")
    checkout.env_files = ["conf/app.env"]
    checkout.commit(".gitignore")
    assert checkout.list(monkeypatch).tree["files/conf/app.env"].kind == "given"


def test_a_secret_file_in_a_written_directory_is_brought_there(checkout, monkeypatch):
    checkout.mounts, checkout.secrets = ["./conf:/conf"], {"key": "conf/key"}
    checkout.write("conf/key", "s3cr3t!", 0o600)
    assert checkout.list(monkeypatch).tree["seed/conf/key"] == Entry("given", 0o600, target="conf/key")


def test_a_short_content_is_not_taken_for_a_secret(checkout, monkeypatch):
    checkout.env_files = ["empty.env"]
    checkout.write("empty.env", "\n")
    checkout.write("conf/blank", "\n")
    assert checkout.list(monkeypatch).tree["files/conf/blank"].kind == "file"


def test_the_project_s_env_file_ships_with_no_mount_of_the_project(checkout, monkeypatch):
    checkout.mounts = [".:/app:ro"]
    checkout.write(".env", "TOKEN=LEAKME\n", 0o600)
    checkout.write("main.css")
    tree = checkout.list(monkeypatch).tree
    assert tree["files/.env"] == Entry("given", 0o600, target=".env")
    assert tree["files/main.css"].kind == "file"


# What looks like a credential.

SUSPECTS = {
    "conf/.env": "A=1\n",
    "conf/deep/.env.production": "A=1\n",
    "conf/server.key": KEY,
    "conf/bundle.txt": "x" * (walk._MB + 7) + KEY,
    "conf/account.json": '{"type": "service_account", "private_key_id": "1"}',
    "conf/.npmrc": "//registry.example.com/:_authToken=npm_123456\n",
    "conf/.netrc": "machine example.com\n",
    "conf/.git-credentials": "https://me:word@example.com\n",
    "conf/.ssh/id_ed25519": "anything",
    "conf/kubeconfig": "apiVersion: v1\n",
    "conf/.aws/credentials": "[default]\naws_secret_access_key = abcdefghijklmnopqrstuvwxyz\n",
    "conf/prod.env": "DB_PASSWORD=hunter22\n",
}


@pytest.mark.parametrize("path", SUSPECTS)
def test_what_looks_like_a_credential_is_refused_with_the_choices(checkout, monkeypatch, path):
    checkout.write("conf/plain")
    checkout.write(path, SUSPECTS[path])
    with pytest.raises(CredentialFound) as error:
        checkout.list(monkeypatch)
    said = str(error.value)
    assert said.startswith(f"{path} (")
    assert all(word in said for word in ("secrets:", ".slipwayignore", "!PATH"))
    assert "hunter22" not in said


@pytest.mark.parametrize("path", SUSPECTS)
def test_each_of_the_choices_lets_it_through(checkout, monkeypatch, path):
    checkout.write("conf/plain")
    checkout.write(path, SUSPECTS[path])
    assert f"files/{path}" in checkout.shipped(monkeypatch, ships=(path,))
    checkout.write(".slipwayignore", f"!{path}\n")
    assert f"files/{path}" in checkout.shipped(monkeypatch)
    checkout.write(".slipwayignore", f"{path}\n")
    assert checkout.shipped(monkeypatch) == {"files/conf/plain"}
    (checkout.root / ".slipwayignore").unlink()
    checkout.secrets = {"one": path}
    assert checkout.list(monkeypatch).tree[f"files/{path}"].kind == "given"


@pytest.mark.parametrize("name", [".env.example", "id_rsa.pub", "cert.pem", "app.env", "config.json", ".envoy"])
def test_what_only_sounds_like_one_ships(checkout, monkeypatch, name):
    checkout.write(f"conf/{name}", "-----BEGIN CERTIFICATE-----\nCOLOUR=red\nTOKEN=${TOKEN}\n")
    assert checkout.shipped(monkeypatch) == {f"files/conf/{name}"}


def test_a_mounted_file_that_looks_like_one_comes_from_the_environment(checkout, monkeypatch):
    checkout.mounts = ["./tls/server.key:/key:ro"]
    checkout.write("tls/server.key", KEY, 0o600)
    assert checkout.list(monkeypatch).tree["files/tls/server.key"] == Entry("given", 0o600, target="tls/server.key")
    checkout.write(".slipwayignore", "!tls/server.key\n")
    assert checkout.list(monkeypatch).tree["files/tls/server.key"].kind == "file"


# What is left out.


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
    monkeypatch.setattr(listing, "_look", lambda *_: pytest.fail("a file was read"))
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

    monkeypatch.setattr(listing, "walk", vanish)
    with pytest.raises(UnreadableFile, match=r"conf/gone vanished while it was read\. Stop what writes there"):
        checkout.list(monkeypatch)


def test_a_file_that_grows_while_it_is_read_is_told_by_name(checkout, monkeypatch):
    growing = checkout.write("conf/growing")
    walked = walk.walk

    def grow(*args):
        found = walked(*args)
        growing.write_text("more")
        return found

    monkeypatch.setattr(listing, "walk", grow)
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
        monkeypatch.setattr(listing, "open", refuse("open", open), raising=False)
    with pytest.raises(
        UnreadableFile, match=r"conf/locked(/a)? cannot be read: Permission denied. Let this user read it"
    ):
        checkout.list(monkeypatch)


# What is said.


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
