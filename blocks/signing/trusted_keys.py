"""The TrustedKeys block: the public keys whose signatures are trusted."""

import base64
import hashlib
from datetime import UTC, datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from prefect.blocks.core import Block
from pydantic import BaseModel, Field, HttpUrl, field_validator


def fingerprint(public_key: str) -> str:
    """`SHA256:…` of a public key, over its DER form (SubjectPublicKeyInfo).

    Raises:
        ValueError: it is no public key.
    """
    try:
        key = load_pem_public_key(public_key.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("it is no public key in PEM form") from error
    digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


class TrustedKey(BaseModel):
    """A public key that signatures may be verified with, and since when."""

    public_key: str = Field(title="Public key", description="In PEM form, as cosign.pub is.")
    since: str = Field(
        default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"),
        title="Since",
        description="When it was trusted first.",
    )

    @field_validator("public_key")
    @classmethod
    def _readable(cls, text: str) -> str:
        fingerprint(text)
        return text.strip() + "\n"

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.public_key)


class TrustedKeys(Block):
    """
    The public keys whose signatures are trusted. Workers that deploy need this block, and not the private key.

    Example:
        ```python
        from blocks import TrustedKeys

        trusted = TrustedKeys.load("BLOCK_NAME")
        print(trusted.reach())
        ```
    """

    _block_type_name = "Slipway Trusted Keys"
    _block_type_slug = "slipway-trusted-keys"
    _logo_url = HttpUrl("https://github.com/sigstore.png")
    _documentation_url = HttpUrl("https://docs.sigstore.dev/cosign/verifying/verify/")
    _description = "The public keys whose signatures are trusted."

    keys: list[TrustedKey] = Field(
        default_factory=list, title="Keys", description="Any of them may have signed; two while a key is replaced."
    )

    def reach(self) -> str:
        """A sentence for the terminal: which keys are trusted."""
        if not self.keys:
            return "no key is trusted"
        return f"signatures of {' and '.join(key.fingerprint for key in self.keys)} are trusted"
