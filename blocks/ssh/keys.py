"""SSH keys: the pinned host key, and our own."""

import base64
import contextlib
import io
import struct
from dataclasses import dataclass

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from blocks.errors import HostKeyRefused, LoginRefused

# What paramiko and cryptography raise of a text that is no key, or half of one.
_NO_KEY = (
    paramiko.SSHException, ValueError, LookupError, TypeError, AssertionError, ArithmeticError, struct.error,
    UnsupportedAlgorithm, paramiko.pkey.UnknownKeyType,
)  # fmt: skip


@dataclass(frozen=True)
class SshTarget:
    """The address of a droplet, the user we log in as, and its pinned host key.

    `host_key` is `TYPE BASE64`, as in a `.pub` file; empty: none is pinned.
    """

    name: str
    host: str
    port: int
    user: str
    host_key: str

    def __str__(self) -> str:
        return f"droplet {self.name} at {self.user}@{self.host}:{self.port}"


class RefuseUnknown(paramiko.MissingHostKeyPolicy):
    """Paramiko's policy for unknown host keys: none is trusted. The error names the fingerprint and how to pin it."""

    def __init__(self, address: SshTarget) -> None:
        self._address = address

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        if self._address.host_key:
            raise host_key_changed(self._address, key)
        raise HostKeyRefused(
            f"{self._address} shows {key.get_name()} {key_fingerprint(key)}, and no host key is pinned. "
            f"If that is the fingerprint you expect: slipway droplet pin {self._address.name}"
        )


def accept_pinned_key_only(client: paramiko.SSHClient, address: SshTarget) -> None:
    """Have a client compare the host key with the pinned one, and accept no other."""
    client.set_missing_host_key_policy(RefuseUnknown(address))
    pinned = parse_host_key(address)
    if pinned is not None:
        name = address.host if address.port == paramiko.config.SSH_PORT else f"[{address.host}]:{address.port}"
        client.get_host_keys().add(name, pinned.get_name(), pinned)


def key_fingerprint(key: paramiko.PKey) -> str:
    """The fingerprint of a key, as `ssh-keygen -l` prints it (`SHA256:…`)."""
    return str(key.fingerprint)


def parse_host_key(address: SshTarget) -> paramiko.PKey | None:
    """The pinned host key, or None when none is pinned."""
    parts = address.host_key.split()
    if not parts:
        return None
    try:
        return paramiko.PKey.from_type_string(parts[0], base64.b64decode(parts[1], validate=True))
    except _NO_KEY:
        raise HostKeyRefused(
            f"{address}: the pinned host key is unreadable. Pin it again: slipway droplet pin {address.name}"
        ) from None


def read_private_key(text: str, address: SshTarget) -> paramiko.PKey:
    """The private key of an OpenSSH or PEM text. Raises LoginRefused."""
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        with contextlib.suppress(*_NO_KEY):
            return kind.from_private_key(io.StringIO(text.strip() + "\n"))
    raise LoginRefused(
        f"{address}: the private key in its block is unreadable, or has a passphrase. "
        f"Save it again: slipway droplet add {address.name}"
    )


def public_half(text: str, address: SshTarget) -> str:
    """The public half of a private key, `TYPE BASE64`. Raises LoginRefused."""
    key = read_private_key(text, address)
    return f"{key.get_name()} {key.get_base64()}"


def host_key_changed(address: SshTarget, key: paramiko.PKey) -> HostKeyRefused:
    """The error for a droplet that shows another key than the pinned one."""
    pinned = parse_host_key(address)
    return HostKeyRefused(
        f"{address} now shows {key.get_name()} {key_fingerprint(key)}, "
        f"pinned is {key_fingerprint(pinned) if pinned else 'none'}. "
        f"If you rebuilt it: slipway droplet pin {address.name}. If not, somebody may be in between"
    )


def new_host_key() -> tuple[str, str]:
    """A new Ed25519 key pair: (private key as OpenSSH PEM, public key as `TYPE BASE64`)."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private.decode(), public.decode()
