"""The lab's passwords and keys: made once, kept in `.slipway/lab/`, readable by their owner alone.

Run as `python compose/lab/credentials.py DIRECTORY`. What exists is never replaced, so that a running
lab and the blocks that were saved for it go on to fit together.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from pathlib import Path

import bcrypt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

REGISTRY_USER = "slipway"


def make_missing(directory: Path) -> None:
    """Write the credentials that are not there yet into `directory`."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (directory / "credentials.json").exists():
        _write(directory / "credentials.json", json.dumps(_new_credentials(), indent=2) + "\n", 0o600)
    _complete(directory / "credentials.json")
    if not (directory / "htpasswd").exists():
        _write(directory / "htpasswd", _htpasswd(directory), 0o644)
    if not (directory / "droplet_key.pub").exists():
        private, public = _new_ssh_key()
        _write(directory / "droplet_key", private, 0o600)
        _write(directory / "droplet_key.pub", public, 0o644)


def _new_credentials() -> dict[str, str]:
    return {
        "registry_username": REGISTRY_USER,
        "registry_password": secrets.token_urlsafe(24),
        "langfuse_public_key": f"pk-lf-{secrets.token_hex(16)}",
        "langfuse_secret_key": f"sk-lf-{secrets.token_hex(16)}",
        "digitalocean_token": f"dop_v1_{secrets.token_hex(32)}",
    }


def _complete(path: Path) -> None:
    """Add what an older lab's credentials do not have yet."""
    known = json.loads(path.read_text())
    if missing := {name: value for name, value in _new_credentials().items() if name not in known}:
        _write(path, json.dumps(known | missing, indent=2) + "\n", 0o600)


def _htpasswd(directory: Path) -> str:
    known = json.loads((directory / "credentials.json").read_text())
    # Cost 5: a login costs the registry a millisecond or two, and a random password needs no more.
    hashed = bcrypt.hashpw(known["registry_password"].encode(), bcrypt.gensalt(5)).decode()
    return f"{known['registry_username']}:{hashed}\n"


def _new_ssh_key() -> tuple[str, str]:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private.decode(), f"{public.decode()} slipway-lab\n"


def _write(path: Path, text: str, mode: int) -> None:
    """Whole or not at all: a killed run leaves no half a key behind."""
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
    temporary.replace(path)


if __name__ == "__main__":
    make_missing(Path(sys.argv[1]))
