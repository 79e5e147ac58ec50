"""The command lines of cosign. Keys are named by environment variables; they are never among the arguments.

Sources: `cosign sign|verify|attest --help` of 2.5; for what later versions want besides:
https://github.com/sigstore/cosign/issues/5043
"""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

# Environment variables of the child process.
PRIVATE_KEY, PUBLIC_KEY, PASSWORD = "SLIPWAY_COSIGN_KEY", "SLIPWAY_COSIGN_PUBLIC_KEY", "COSIGN_PASSWORD"
_UNSIGNED, _NO_MATCH = 10, 12
_PRIVATE = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))


class SignatureVerdict(Enum):
    """What `cosign verify` found."""

    SIGNED = "signed"
    UNSIGNED = "unsigned"
    OTHER_KEY = "signed with another key"
    MOVED = "the signature of another image"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class CosignCommands:
    """The commands of one cosign.

    Args:
        program: its path or name.
        help: what `cosign sign --help` prints: which options it has.
        certificate: path of the registry's own CA certificate, or ''.
    """

    program: str = "cosign"
    help: str = ""
    certificate: str = ""

    def sign(self, references: Sequence[str], annotations: Mapping[str, str], kms: str = "") -> list[str]:
        """Sign images by digest; the signatures are stored beside them, as tags."""
        said = [word for name, value in sorted(annotations.items()) for word in ("-a", f"{name}={value}")]
        return [self.program, "sign", *self._signing(kms), *said, "--", *references]

    def attest(self, reference: str, kind: str, predicate: str, kms: str = "") -> list[str]:
        """Attest a predicate of an image.

        Args:
            kind: cosign's name of the predicate's type.
            predicate: path of its JSON.
        """
        return [self.program, "attest", *self._signing(kms), "--type", kind, "--predicate", predicate, "--", reference]

    def verify(self, references: Sequence[str]) -> list[str]:
        """Verify signatures by one public key, and print what they say."""
        return [self.program, "verify", *self._verifying(), "--output", "json", "--", *references]

    def verify_attestation(self, reference: str, kind: str) -> list[str]:
        """Verify attestations of one kind by one public key, and print them as envelopes, one a line."""
        return [self.program, "verify-attestation", *self._verifying(), "--type", kind, "--", reference]

    def public_key(self, kms: str) -> list[str]:
        """Print the public key of a key in a KMS."""
        return [self.program, "public-key", "--key", kms]

    def generate(self, prefix: str) -> list[str]:
        """Make a key pair: PREFIX.key and PREFIX.pub."""
        return [self.program, "generate-key-pair", "--output-key-prefix", prefix]

    def _signing(self, kms: str) -> list[str]:
        later = [option for option in ("--use-signing-config", "--new-bundle-format") if option in self.help]
        old_format = [f"{option}=false" for option in later]
        return ["--yes", "--tlog-upload=false", *old_format, "--key", kms or f"env://{PRIVATE_KEY}", *self._registry()]

    def _verifying(self) -> list[str]:
        old_format = ["--new-bundle-format=false"] if "--use-signing-config" in self.help else []
        return ["--private-infrastructure", *old_format, "--key", f"env://{PUBLIC_KEY}", *self._registry()]

    def _registry(self) -> list[str]:
        return ["--registry-cacert", self.certificate] if self.certificate else []


def falls_back_to_http(host: str) -> bool:
    """Whether cosign speaks http to a registry that does not answer https: to private addresses of IPv4 that are not of
    this machine (go-containerregistry, pkg/name/registry.go).

    Args:
        host: a name or an address, with or without a port.
    """
    try:
        address = ipaddress.IPv4Address(host.partition(":")[0])
    except ValueError:
        return False
    return any(address in network for network in _PRIVATE)


def read_verdict(code: int, said: str) -> SignatureVerdict:
    """What an exit code and the words on standard error mean."""
    if code == 0:
        return SignatureVerdict.SIGNED
    if code == _UNSIGNED and "no signatures found" in said:
        return SignatureVerdict.UNSIGNED
    if code == _NO_MATCH and "invalid signature" in said:
        return SignatureVerdict.OTHER_KEY
    if code == _NO_MATCH and "digest" in said:
        return SignatureVerdict.MOVED
    return SignatureVerdict.UNCLEAR
