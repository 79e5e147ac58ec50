"""Keys of an SSH connection: read whatever stands around them, or refused without being shown."""

import paramiko
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.errors import HostKeyRefused, LoginRefused
from blocks.ssh.keys import RefuseUnknown, SshTarget, parse_host_key, read_private_key
from tests.support.ssh_server import HOST_KEY, USER_KEY, key_text, public

pytestmark = pytest.mark.unit

NOWHERE = SshTarget("green", "127.0.0.1", 1, "root", public(HOST_KEY))


def key_of(kind: str) -> str:
    return key_text({"rsa": lambda: paramiko.RSAKey.generate(2048), "ecdsa": paramiko.ECDSAKey.generate}[kind]())


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_a_private_key_is_read_whatever_stands_around_it(kind):
    text = key_of(kind)
    assert key_text(read_private_key(f"\n  {text}\n\n", NOWHERE)) == text


@pytest.mark.parametrize("text", ["", "no key", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", "sentinel"])
def test_an_unreadable_private_key_is_refused_and_not_shown(text):
    with pytest.raises(LoginRefused, match=r"unreadable, or has a passphrase.*slipway droplet add green") as error:
        read_private_key(text, NOWHERE)
    assert "sentinel" not in str(error.value)


def test_a_private_key_with_a_passphrase_is_refused(tmp_path):
    USER_KEY.write_private_key_file(str(tmp_path / "key"), password="secret")
    with pytest.raises(LoginRefused, match="has a passphrase"):
        read_private_key((tmp_path / "key").read_text(), NOWHERE)


def pinned_as(text: str) -> SshTarget:
    return SshTarget("green", "h", 22, "root", text)


def test_a_host_key_is_read_as_it_stands_in_a_public_key_file():
    assert parse_host_key(pinned_as("")) is None
    assert parse_host_key(pinned_as(public(HOST_KEY))) == HOST_KEY
    assert parse_host_key(pinned_as(f"{public(HOST_KEY)} root@green\n")) == HOST_KEY


def test_no_key_is_ever_accepted_as_unknown():
    for address, words in ((pinned_as(""), "no host key is pinned"), (pinned_as(public(HOST_KEY)), "now shows")):
        with pytest.raises(HostKeyRefused, match=words):
            RefuseUnknown(address).missing_host_key(paramiko.SSHClient(), "h", USER_KEY)


@pytest.mark.parametrize(
    "text", ["ssh-ed25519", "x y", "ssh-ed25519 !!!", "ssh-ed25519 AAAA", "ssh-rsa AAAAB3NzaC1yc2E="]
)
def test_an_unreadable_host_key_is_refused(text):
    with pytest.raises(HostKeyRefused, match="the pinned host key is unreadable"):
        parse_host_key(pinned_as(text))


@given(st.text(max_size=30) | st.binary(max_size=20).map(lambda raw: "ssh-ed25519 " + raw.hex()))
def test_any_text_is_a_host_key_or_refused(text):
    try:
        key = parse_host_key(pinned_as(text))
    except HostKeyRefused:
        return
    assert key is None
