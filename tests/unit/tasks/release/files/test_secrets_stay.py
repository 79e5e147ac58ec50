"""What never ships: env files, secret files, and what looks like a credential."""

import hashlib
import os

import pytest

from flows.core.errors import CredentialFound
from flows.core.release.tree import Entry
from flows.tasks.release.files import walk
from tests.support.files.trees import link

pytestmark = pytest.mark.unit

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----\n"


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
