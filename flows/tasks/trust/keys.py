"""Makes, replaces and trusts the keys that releases are signed with."""

import secrets
from pathlib import Path

from blocks import SigningKey, TrustedKeys
from blocks.signing.trusted_keys import TrustedKey
from flows.core.errors import ConflictingOptions, KeyUnusable
from flows.core.trust.cosign import PASSWORD
from flows.settings import Settings
from flows.tasks.build_host import run
from flows.tasks.private_directory import private_directory
from flows.tasks.runs.blocks import load_signing_key, load_trusted_keys
from flows.tasks.runs.log_masking import masked_end, register_secrets
from flows.tasks.trust.cosign import cosign_commands


def generate_key(settings: Settings, kms: str = "", *, replace: bool = False) -> SigningKey:
    """Make a key pair with cosign, or take a key in a KMS; save it, and trust it beside those trusted so far.

    Args:
        kms: reference of a key that is there already; '': a new key pair, whose private half is kept in the block.
        replace: a key is saved already, and signs no more from here on; its releases stay trusted.

    Raises:
        ConflictingOptions: a key is saved already, or none is to replace.
        KeyUnusable, CosignMissing
    """
    before = load_signing_key(settings)
    if before and not replace:
        raise ConflictingOptions(
            f"a signing key is saved already ({before.fingerprint}). To replace it: slipway keys rotate"
        )
    if replace and not before:
        raise ConflictingOptions("there is no signing key to replace. Make the first: slipway keys generate")
    key = _from_kms(settings, kms) if kms else _new_pair(settings)
    trust_key(settings, key.public_key)  # first: what is signed with a key that nobody trusts is refused
    key.save(settings.signing, overwrite=True)
    return key


def trust_key(settings: Settings, public_key: str) -> TrustedKey:
    """Trust a public key; one that is trusted already stays as it is.

    Raises:
        KeyUnusable
    """
    try:
        added = TrustedKey(public_key=public_key)
    except ValueError as error:
        raise KeyUnusable("this is no public key in PEM form, such as cosign.pub is") from error
    known = load_trusted_keys(settings)
    if found := next((key for key in known if key.fingerprint == added.fingerprint), None):
        return found
    TrustedKeys(keys=[*known, added]).save(settings.trusted, overwrite=True)
    return added


def distrust_key(settings: Settings, fingerprint: str) -> TrustedKey:
    """Trust a key no more. The one that signs stays trusted.

    Args:
        fingerprint: as `slipway keys show` prints it, or its beginning.

    Raises:
        KeyUnusable: no such key is trusted, or several are, or it is the one that signs.
    """
    known = load_trusted_keys(settings)
    found = [key for key in known if key.fingerprint.removeprefix("SHA256:").startswith(_bare(fingerprint))]
    if not _bare(fingerprint) or len(found) != 1:
        which = "several keys that are trusted begin" if len(found) > 1 else "no key that is trusted begins"
        raise KeyUnusable(f"{which} with {fingerprint!r}. Which there are: slipway keys show")
    signing = load_signing_key(settings)
    if signing and signing.fingerprint == found[0].fingerprint:
        raise KeyUnusable("this key signs: what it signs would be refused. Replace it first: slipway keys rotate")
    TrustedKeys(keys=[key for key in known if key is not found[0]]).save(settings.trusted, overwrite=True)
    return found[0]


def _bare(fingerprint: str) -> str:
    return fingerprint.removeprefix("SHA256:")


def _new_pair(settings: Settings) -> SigningKey:
    """A key pair that cosign makes, encrypted with a password that nobody needs to know."""
    commands, password = cosign_commands(settings), secrets.token_urlsafe(32)
    register_secrets([password])
    with private_directory("key") as directory:
        prefix = str(Path(directory, "cosign"))
        answer = run(commands.generate(prefix), {PASSWORD: password}, settings.sign_timeout)
        if answer.returncode:
            raise KeyUnusable(f"`cosign generate-key-pair` made no key: {masked_end(answer.stderr, 3)}")
        private, public = (Path(directory, name).read_text() for name in ("cosign.key", "cosign.pub"))
    return SigningKey(public_key=public, private_key=private, password=password)


def _from_kms(settings: Settings, kms: str) -> SigningKey:
    answer = run(cosign_commands(settings).public_key(kms), {}, settings.sign_timeout)
    try:
        if answer.returncode == 0:
            return SigningKey(public_key=answer.stdout, kms=kms)
    except ValueError:
        pass
    raise KeyUnusable(
        f"`cosign public-key --key {kms}` shows no public key: {masked_end(answer.stderr, 3)}. Is the reference right, "
        "and does this user have the KMS's credentials where cosign looks for them?"
    )
