"""The SigningKey block: the key that releases are signed with."""

from prefect.blocks.core import Block
from pydantic import Field, HttpUrl, SecretStr, model_validator

from blocks.signing.trusted_keys import fingerprint


class SigningKey(Block):
    """
    The key that releases are signed with: a private key as cosign makes it, or the name of a key in a KMS.

    Sources: https://docs.sigstore.dev/cosign/key_management/signing_with_self-managed_keys/ and
    https://docs.sigstore.dev/cosign/key_management/overview/ (KMS references).

    Example:
        ```python
        from blocks import SigningKey

        key = SigningKey.load("BLOCK_NAME")
        print(key.reach())
        ```
    """

    _block_type_name = "Slipway Signing Key"
    _block_type_slug = "slipway-signing-key"
    _logo_url = HttpUrl("https://github.com/sigstore.png")
    _documentation_url = HttpUrl("https://docs.sigstore.dev/cosign/signing/signing_with_containers/")
    _description = "The key that releases are signed with."

    public_key: str = Field(title="Public key", description="In PEM form; what `slipway keys trust` takes elsewhere.")
    private_key: SecretStr = Field(
        SecretStr(""), title="Private key", description="Encrypted with the password, as cosign.key is."
    )
    password: SecretStr = Field(SecretStr(""), title="Password", description="What the private key is encrypted with.")
    kms: str = Field(
        "",
        title="KMS",
        pattern=r"^([a-z0-9]+://\S+)?$",
        description="Instead of a private key: a reference such as awskms:///alias/slipway or hashivault://slipway.",
    )

    @model_validator(mode="after")
    def _one_key(self) -> "SigningKey":
        fingerprint(self.public_key)
        if bool(self.private_key.get_secret_value()) == bool(self.kms):
            raise ValueError("give `private_key` or `kms`, one of them")
        return self

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.public_key)

    def reach(self) -> str:
        """A sentence for the terminal: which key signs."""
        return f"releases are signed with {self.fingerprint}" + (f" in {self.kms}" if self.kms else "")
