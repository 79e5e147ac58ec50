"""A file that only a passphrase opens: compressed, encrypted and authenticated (scrypt, Fernet)."""

import base64
import os
import zlib
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from flows.core.errors import BadExport

SHORTEST_PASSPHRASE = 12
LARGEST = 500_000_000
_MAGIC = b"slipway control plane 1\n"
_SALT = 16


def write_sealed(file: Path, content: bytes, passphrase: str) -> None:
    """Write a new file, which nobody else may read.

    Raises:
        BadExport: the passphrase is too short, or the file is there, or cannot be written.
    """
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise BadExport(f"the passphrase is shorter than {SHORTEST_PASSPHRASE} characters; nothing was written")
    salt = os.urandom(_SALT)
    token = Fernet(_key(passphrase, salt)).encrypt(zlib.compress(content, 6))
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(_MAGIC + salt + token)
    except FileExistsError:
        raise BadExport(f"{file} is there already; nothing was written. Name another one") from None
    except OSError as error:
        raise BadExport(f"{file} cannot be written: {error}") from None


def read_sealed(file: Path, passphrase: str) -> bytes:
    """What the file holds.

    Raises:
        BadExport: it cannot be read, is none of ours, or the passphrase is another one.
    """
    try:
        with file.open("rb") as given:
            sealed = given.read(LARGEST + 1)
    except OSError as error:
        raise BadExport(f"{file} cannot be read: {error}. Nothing was changed") from None
    if not sealed.startswith(_MAGIC) or len(sealed) > LARGEST:
        raise BadExport(f"{file} is nothing that `slipway server export` wrote. Nothing was changed")
    salt, token = sealed[len(_MAGIC) :][:_SALT], sealed[len(_MAGIC) + _SALT :]
    try:
        content = zlib.decompressobj()
        opened = content.decompress(Fernet(_key(passphrase, salt)).decrypt(token), LARGEST)
    except (InvalidToken, zlib.error, ValueError):
        raise BadExport(f"{file} was changed, or its passphrase is another one. Nothing was changed here") from None
    if content.unconsumed_tail:
        raise BadExport(f"{file} holds more than {LARGEST} bytes. Nothing was changed")
    return opened


def _key(passphrase: str, salt: bytes) -> bytes:
    # 32 MB and a tenth of a second a guess.
    return base64.urlsafe_b64encode(Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase.encode()))
