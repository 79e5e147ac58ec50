"""The lab's certificate authority, and the certificate of its registries: made once, kept in the lab's directory.

Run as `python compose/lab/certificates.py DIRECTORY ADDRESS…`, with each registry's address as image references name
it. DIRECTORY gets `tls/` (what the registries serve, and the authority's certificate) and `certs.d/`, which is what a
Docker Engine reads in /etc/docker/certs.d. The authority's key is never written: it signs once.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFE = timedelta(days=3650)


class Authority:
    """A certificate authority that lives as long as this object."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        made = _builder(name, name, self._key.public_key())
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        made = made.add_extension(_usage(signs_certificates=True), critical=True)
        self._certificate = made.sign(self._key, hashes.SHA256())

    @property
    def certificate(self) -> str:
        """Its own certificate (PEM)."""
        return _pem(self._certificate)

    def sign(self, hosts: Iterable[str]) -> tuple[str, str]:
        """A new key and a server's certificate for these names and addresses (PEM)."""
        key, hosts = ec.generate_private_key(ec.SECP256R1()), sorted(hosts)
        issued_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        made = _builder(hosts[0], _name(self._certificate), key.public_key())
        made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        made = made.add_extension(_usage(signs_certificates=False), critical=True)
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        made = made.add_extension(x509.SubjectAlternativeName([_alternative(host) for host in hosts]), critical=False)
        made = made.add_extension(issued_by, critical=False)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return private.decode(), _pem(made.sign(self._key, hashes.SHA256()))


def make_missing(directory: Path, addresses: list[str]) -> None:
    """Write what is not there yet; all of it anew where it is not for these addresses, for its key is gone."""
    tls, trusted = directory / "tls", directory / "certs.d"
    complete = tls / "addresses"
    if complete.exists() and complete.read_text().split() == addresses:
        return
    for made in (tls, trusted):
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
    authority = Authority("slipway-lab")
    key, certificate = authority.sign({address.rpartition(":")[0] for address in addresses})
    _write(tls / "registry.key", key, 0o600)
    _write(tls / "registry.crt", certificate, 0o644)
    _write(tls / "ca.crt", authority.certificate, 0o644)
    for address in addresses:
        (trusted / address).mkdir()
        _write(trusted / address / "ca.crt", authority.certificate, 0o644)
    _write(complete, " ".join(addresses), 0o644)


def _builder(name: str, issuer: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(_named(name)).issuer_name(_named(issuer)).public_key(key)
    made = made.serial_number(x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + _LIFE)
    return made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, key_cert_sign=signs_certificates, crl_sign=signs_certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _name(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _write(path: Path, text: str, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)


if __name__ == "__main__":
    make_missing(Path(sys.argv[1]), sys.argv[2:])
