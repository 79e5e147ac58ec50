"""A droplet shown in another state: an SSH key of its own leads to a script that runs before every command."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import paramiko
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.lab.droplet_view import DropletView

_KEYS = "/root/.ssh/authorized_keys"
# Tests that run side by side write to one file of keys.
_ALONE = "flock /run/authorized_keys.lock"


def new_key() -> tuple[str, str]:
    """A key that nobody knows: private (OpenSSH), public (`TYPE BASE64`)."""
    text = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    ).decode()  # fmt: skip
    key = paramiko.Ed25519Key.from_private_key(StringIO(text))
    return text, f"{key.get_name()} {key.get_base64()}"


@contextmanager
def forced_command(droplet: DropletView, file: str, script: str) -> Iterator[str]:
    """A private key with which each command of ours is run after this script. Key and script are taken away again.

    Args:
        file: where the script stands on the droplet; its directory is made.
    """
    private, public = new_key()
    close = f"{_ALONE} sed -i '\\|{file}\"|d' {_KEYS}; rm -f {file}"
    text = f'#!/bin/sh\n{script}\nexec sh -c "$SSH_ORIGINAL_COMMAND"\n'
    droplet.sh(f"{close}; mkdir -p $(dirname {file}); cat >{file}; chmod 755 {file}", text.encode())
    droplet.sh(f"{_ALONE} sh -c 'cat >>{_KEYS}'", f'command="{file}" {public}\n'.encode())
    try:
        yield private
    finally:
        droplet.sh(close)
