"""A registry that accepts what the API hands out until it expires, and nothing else; and that is really collected.

Source: https://distribution.github.io/distribution/spec/auth/token/ (the registry asks for a signed token, our realm
gives it for a login).
"""

from __future__ import annotations

import base64
import datetime
import json
import secrets
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .storage import Storage

SERVICE, ISSUER = "slipway-lab-docr", "slipway-lab-digitalocean"
GRACE = 60  # seconds: what the registry adds to the end of every token


class Registry:
    """The registry service of the account.

    Args:
        directory: where its data, key and configuration lie.
        realm: where clients get tokens, as they see it.
        tls: the directory with its certificate and key.
    """

    def __init__(self, directory: Path, realm: str, tls: Path, port: int = 5001) -> None:
        self._directory, self._realm, self._tls, self._port = directory, realm, tls, port
        self.storage = Storage(directory / "data")
        self._logins: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()
        self._written_until: dict[str, float] = {}
        self._read_only: set[str] = set()
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = _certificate(self._key)

    def start(self) -> None:
        """Run it."""
        (self._directory / "data").mkdir(parents=True, exist_ok=True)
        bundle = self._directory / "token.pem"
        bundle.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))
        config = {
            "version": 0.1, "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(self._directory / "data")}, "delete": {"enabled": True}},
            "http": {"addr": f":{self._port}", "secret": secrets.token_hex(16), "tls": {
                "certificate": str(self._tls / "registry.crt"), "key": str(self._tls / "registry.key")}},
            "auth": {"token": {"realm": self._realm, "service": SERVICE, "issuer": ISSUER,
                               "rootcertbundle": str(bundle)}},
        }  # fmt: skip
        self._config = self._directory / "registry.yml"
        self._config.write_text(json.dumps(config))  # JSON is YAML
        self._process = subprocess.Popen(["docker-registry", "serve", str(self._config)])

    def login(self, registry: str, seconds: int, write: bool) -> str:
        """A new login; user name and password are the same word."""
        word = f"docr_{secrets.token_hex(16)}"
        self._logins[word] = {"registry": registry, "write": write, "until": time.time() + seconds}
        return word

    def known(self, word: str) -> dict[str, Any] | None:
        """The login, while it is good."""
        found = self._logins.get(word)
        return found if found and found["until"] > time.time() else None

    def token(self, subject: str, access: list[dict[str, Any]], lifetime: float) -> str | None:
        """A signed token for what was granted, good for that many seconds; None where writing is not allowed now."""
        at = time.time()
        ends = int(at + lifetime) + 1
        with self._lock:  # a collection counts the tokens before it: none may come in between
            for name in {g["name"].partition("/")[0] for g in access if {"push", "delete"} & set(g["actions"])}:
                if name in self._read_only:
                    return None
                self._written_until[name] = max(self._written_until.get(name, 0.0), ends)
        claims = {
            "iss": ISSUER, "sub": subject, "aud": SERVICE, "exp": ends - GRACE, "nbf": int(at - 5),
            "iat": int(at), "jti": secrets.token_hex(8), "access": access,
        }  # fmt: skip
        chain = [base64.b64encode(self._certificate.public_bytes(serialization.Encoding.DER)).decode()]
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"x5c": chain})

    def close(self, name: str) -> None:
        """From now on no token allows to write to this one of the account's registries."""
        with self._lock:
            self._read_only.add(name)

    def open(self, name: str) -> None:
        """Writing is allowed again."""
        with self._lock:
            self._read_only.discard(name)

    def writers_left(self, name: str) -> bool:
        """Whether a token that allows writing is still good."""
        return time.time() < self._written_until.get(name, 0.0)

    def collect(self, untagged: bool) -> tuple[int, int]:
        """Collect garbage; returns how many blobs and bytes are gone."""
        blobs, size = self.storage.used()
        argv = ["docker-registry", "garbage-collect", *(["-m"] if untagged else []), str(self._config)]
        done = subprocess.run(argv, capture_output=True, timeout=300, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.decode()[-500:])
        left, rest = self.storage.used()
        return blobs - left, size - rest


def _certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, ISSUER)])
    day = datetime.timedelta(days=1)
    begins = datetime.datetime.now(datetime.UTC) - day
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begins)
    return builder.not_valid_after(begins + 365 * day).sign(key, hashes.SHA256())
