"""Verifies that a release, and every image of it, is what we signed: before anything is changed."""

from collections.abc import Iterable, Mapping, Sequence
from subprocess import CompletedProcess
from typing import Any

from prefect.logging import get_run_logger

from blocks import ContainerRegistry, SigningKey
from blocks.errors import OutsideError
from blocks.signing.trusted_keys import TrustedKey
from flows.core.deploy.deployed_state import DeployedState
from flows.core.errors import (
    CosignMissing,
    NoSigningKey,
    NothingTrusted,
    NotVerified,
    SignatureMoved,
    SignedByAnother,
    Unsigned,
    VerificationFailed,
)
from flows.core.records.record import Record, Verified
from flows.core.release.release import Release
from flows.core.trust.cosign import SignatureVerdict, read_verdict
from flows.core.trust.policy import Decided, Proof, decided_policy, document_hash, refuse_unverified_record
from flows.core.trust.signatures import (
    PUBLISHED,
    Claim,
    claims_of_images,
    matching,
    read_payloads,
    release_annotations,
    signed_as_another,
)
from flows.settings import Settings
from flows.tasks.runs.blocks import load_trusted_keys
from flows.tasks.runs.declaration import task
from flows.tasks.runs.log_masking import mask, masked_end
from flows.tasks.runs.retries import RETRIED
from flows.tasks.trust.cosign import Cosign, cosign_at, cosign_commands, public_key

_NO_KEY = (
    "signatures are to be verified (%s), and no key is trusted. Save one: slipway keys generate, or keys trust FILE"
)


def policy_for(settings: Settings, stack: str, droplets: Sequence[str], *, keys: bool) -> Decided:
    """Whether signatures are verified where this stack goes to these droplets."""
    return decided_policy(settings.verification, settings.verification_of, (stack, *droplets), keys=keys)


def check_signing(key: SigningKey | None, stack: str, settings: Settings, droplet: str | None) -> None:
    """Refuse before a build what would be refused after it: it cannot be signed, or not be deployed unsigned.

    Args:
        droplet: name of the Droplet block that it goes to next; None: nowhere yet.

    Raises:
        NoSigningKey, CosignMissing
    """
    if key:
        cosign_commands(settings)
    elif droplet and policy_for(settings, stack, [droplet], keys=bool(load_trusted_keys(settings))) == "enforce":
        raise NoSigningKey(
            f"what is put on {droplet} must be signed, and no signing key is saved here (block {settings.signing}). "
            "Nothing was built. Make one: slipway keys generate; or build where the key is, and deploy from here"
        )


def verify_release(
    release: Release, reference: str, registry: ContainerRegistry, settings: Settings, droplets: Sequence[str] = ()
) -> Proof:
    """Verify the release's document and every image that it built or copied, as the policy wants it.

    Args:
        reference: `repository@sha256:…` of the image that holds the release.
        droplets: where it goes to.

    Returns:
        What was proved; or, where the policy only warns, why it was not.

    Raises:
        NotVerified: what the registry shows is not what we signed.
        NothingTrusted, CosignMissing, VerificationFailed
    """
    keys, log = load_trusted_keys(settings), get_run_logger()
    policy = policy_for(settings, release.stack, droplets, keys=bool(keys))
    if policy == "none":
        log.warning(
            "release %s is not verified: no key is trusted, so whoever may push to registry %s decides what runs. "
            "Sign releases from now on: slipway keys generate", release.tag, registry.host,
        )  # fmt: skip
    if policy in ("none", "off"):
        return Proof(unverified="verification was off" if policy == "off" else "")
    try:
        if not keys:
            raise NothingTrusted(_NO_KEY % f"SLIPWAY_VERIFICATION={policy}")
        return Proof(prove_release(release, reference, keys, registry, settings))
    except (NotVerified, NothingTrusted, CosignMissing, VerificationFailed, OutsideError) as error:
        if policy == "enforce":
            raise
        log.warning("%s", error)
        return Proof(unverified=mask(str(error)).partition("\n")[0])


@task(name="verify signatures", task_run_name="verify the signatures of {release.tag}", **RETRIED)
def prove_release(
    release: Release, reference: str, keys: Sequence[TrustedKey], registry: ContainerRegistry, settings: Settings
) -> Verified:
    """Prove a release by these keys, one of which has signed its document, and one or another each image."""
    document = Claim(reference, release_annotations(release, ""), f"release {release.tag} of {release.stack}")
    claims = [document, *claims_of_images(release)]
    with cosign_at(registry, settings) as cosign:
        proved = _prove(claims, keys, cosign)
    key, said = proved[document.reference]
    get_run_logger().info("release %s and its %d signed images are verified", release.tag, len(claims) - 1)
    digest = document.digest
    return Verified(key=key.fingerprint, digest=digest, published=str(said.get(PUBLISHED) or ""))


def check_kept_release(record: Record, document: str, settings: Settings, droplet: str) -> None:
    """Refuse a kept release that was not verified when it was put there. The registry is not asked, nor is Prefect:
    a rollback must do without both.

    Args:
        document: SHA-256 of its document as it stands on the droplet.

    Raises:
        NotVerified
    """
    policy = policy_for(settings, record.stack, (droplet,), keys=True)
    if policy == "off":
        return
    try:
        refuse_unverified_record(record, document)
    except NotVerified as error:
        if policy == "enforce":
            raise
        get_run_logger().warning("%s", error)


def check_standing_releases(states: Iterable[DeployedState], settings: Settings) -> None:
    """Refuse to send traffic to releases that were not verified when they were put where they stand.

    Raises:
        NotVerified
    """
    for state in states:
        if state.record:
            check_kept_release(state.record, document_hash(state.document), settings, state.droplet)


def _prove(
    claims: Sequence[Claim], keys: Sequence[TrustedKey], cosign: Cosign
) -> dict[str, tuple[TrustedKey, Mapping[str, Any]]]:
    """Which key has signed what is claimed, and what it says; all at once, one by one only where that fails."""
    proved: dict[str, tuple[TrustedKey, Mapping[str, Any]]] = {}
    verdicts: dict[str, set[SignatureVerdict]] = {claim.reference: set() for claim in claims}
    payloads: dict[str, list[dict[str, Any]]] = {}
    for key in keys:
        left = [claim for claim in claims if claim.reference not in proved]
        for group, answer in verify_signatures(left, key, cosign):
            verdict = read_verdict(answer.returncode, answer.stderr)
            if verdict is SignatureVerdict.UNCLEAR:
                raise VerificationFailed(
                    f"{group[0].what} could not be verified: `cosign verify` ended with exit {answer.returncode}: "
                    f"{masked_end(answer.stderr, 2)}. Nothing was changed. Does the registry answer? Then run it again"
                )
            found = read_payloads(answer.stdout) if verdict is SignatureVerdict.SIGNED else {}
            for claim in group:
                verdicts[claim.reference].add(verdict)
                payloads.setdefault(claim.reference, []).extend(found.get(claim.digest, ()))
                if said := matching(claim, found.get(claim.digest, ())):
                    proved[claim.reference] = (key, said)
        if len(proved) == len(claims):
            return proved
    claim = next(claim for claim in claims if claim.reference not in proved)
    raise _refusal(claim, verdicts[claim.reference], payloads[claim.reference], keys)


def verify_signatures(
    claims: Sequence[Claim], key: TrustedKey, cosign: Cosign
) -> list[tuple[Sequence[Claim], CompletedProcess[str]]]:
    """What cosign answers of all images in one call. It ends with the first that is not signed: then each image has a
    call of its own.
    """
    found = _ask([claims], key, cosign)
    left = [[claim] for group, answer in found if answer.returncode and len(group) > 1 for claim in group]
    settled = [(group, answer) for group, answer in found if not answer.returncode or len(group) == 1]
    return [*settled, *_ask(left, key, cosign)]


def _ask(
    groups: Sequence[Sequence[Claim]], key: TrustedKey, cosign: Cosign
) -> list[tuple[Sequence[Claim], CompletedProcess[str]]]:
    commands = [cosign.commands.verify([claim.reference for claim in group]) for group in groups]
    return list(zip(groups, cosign.run_all(commands, public_key(key.public_key)), strict=True))


def _refusal(
    claim: Claim, verdicts: set[SignatureVerdict], payloads: Sequence[Mapping[str, Any]], keys: Sequence[TrustedKey]
) -> NotVerified:
    """The error for what no key has signed as claimed: each kind has its own sentence."""
    if payloads:
        return signed_as_another(claim, payloads)
    if SignatureVerdict.MOVED in verdicts:
        return SignatureMoved(
            f"{claim.what} has the signature of something else beside it: somebody moved it there. Nothing was "
            "changed. Find out who may push there, and publish the release again"
        )
    if SignatureVerdict.OTHER_KEY in verdicts:
        trusted = " or ".join(key.fingerprint for key in keys)
        return SignedByAnother(
            f"{claim.what} is signed, and not with a key that is trusted ({trusted}). Nothing was changed. If that key "
            "is yours: slipway keys trust FILE. Otherwise find out who may push there, and publish the release again"
        )
    return Unsigned(
        f"{claim.what} is not signed. Nothing was changed. Publish it again with the signing key (slipway build-push), "
        "or let it pass unverified: SLIPWAY_VERIFICATION=warn"
    )
