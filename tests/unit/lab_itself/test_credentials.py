"""The lab's credentials are made once, and only their owner reads them."""

import importlib.util
import json
from pathlib import Path

import bcrypt
import paramiko
import pytest

from tests import CHECKOUT

pytestmark = pytest.mark.unit
SOURCE = CHECKOUT / "compose" / "lab" / "credentials.py"


@pytest.fixture
def made(tmp_path):
    make_missing(tmp_path / "lab")
    return tmp_path / "lab"


def make_missing(directory: Path) -> None:
    spec = importlib.util.spec_from_file_location("lab_credentials", SOURCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.make_missing(directory)


def test_secrets_are_readable_by_their_owner_alone(made):
    assert made.stat().st_mode & 0o777 == 0o700
    for secret in ("credentials.json", "droplet_key"):
        assert (made / secret).stat().st_mode & 0o777 == 0o600


def test_the_registry_is_told_the_password_that_the_blocks_get(made):
    known = json.loads((made / "credentials.json").read_text())
    user, hashed = (made / "htpasswd").read_text().strip().split(":")
    assert user == known["registry_username"]
    assert bcrypt.checkpw(known["registry_password"].encode(), hashed.encode())


def test_the_two_halves_of_the_ssh_key_belong_together(made):
    private = paramiko.Ed25519Key.from_private_key_file(str(made / "droplet_key"))
    assert (made / "droplet_key.pub").read_text().split()[:2] == ["ssh-ed25519", private.get_base64()]


def test_what_exists_is_kept_and_what_is_lost_is_made_again(made):
    before = {path.name: path.read_bytes() for path in made.iterdir()}
    (made / "htpasswd").unlink()
    make_missing(made)
    after = {path.name: path.read_bytes() for path in made.iterdir()}
    assert set(after) == set(before)
    assert {name for name in after if after[name] != before[name]} <= {"htpasswd"}


def test_two_labs_share_no_secret(made, tmp_path):
    make_missing(tmp_path / "other")
    for name in ("credentials.json", "droplet_key"):
        assert (made / name).read_text() != (tmp_path / "other" / name).read_text()
