"""What is attested of the images of a release, and what others attested: read back by the keys that are trusted."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version

from prefect.logging import get_run_logger

from blocks import ContainerRegistry
from blocks.signing.trusted_keys import TrustedKey
from flows.core.answers import reads
from flows.core.errors import UnreadableAnswer, VerificationFailed
from flows.core.registry.references import split_reference
from flows.core.release.image_plan import ImagePlan
from flows.core.trust.cosign import SignatureVerdict, read_verdict
from flows.core.trust.packages.image import ImageContents
from flows.core.trust.provenance import BuildParameters, BuildRun, slsa_predicate
from flows.core.trust.sbom import sbom
from flows.core.trust.to_sign import ToSign
from flows.settings import Settings
from flows.tasks.runs.declaration import task
from flows.tasks.runs.log_masking import masked_end
from flows.tasks.runs.retries import RETRIED
from flows.tasks.stack.source import Source
from flows.tasks.trust.base_images import read_base_images
from flows.tasks.trust.build_source import read_build_source
from flows.tasks.trust.cosign import cosign_at, public_key
from flows.tasks.trust.image_packages import read_image_packages

# cosign's names of the predicates' types.
SBOM, PROVENANCE = "cyclonedx", "slsaprovenance1"


def with_predicates(
    images: Sequence[ToSign],
    source: Source,
    plan: ImagePlan,
    built: Mapping[str, str],
    parameters: BuildParameters,
    run: BuildRun,
    log: Iterable[str],
    dockerfiles: Mapping[str, str | None],
    registry: ContainerRegistry,
    settings: Settings,
    env: Mapping[str, str],
) -> list[ToSign]:
    """The images that are to be signed, each with its SBOM, and with its provenance where it was built here.

    Args:
        built: target reference → digest.
        parameters: what was asked for; each image's service is filled in.
        log: the lines of the builds' plain progress.
        dockerfiles: service → its Dockerfile's text.
    """
    contents = _packages([image.reference for image in images], registry)
    bases = read_base_images(source.stack, plan, dockerfiles, log, built, settings, env)
    commit, own = read_build_source(source.sources.directory, source.commit), version("slipway")
    found = []
    for image in images:
        repository, digest = split_reference(image.reference)
        held, predicates = contents.get(image.reference), {}
        if held:
            predicates[SBOM] = sbom(repository, digest, held, own)
        if image.service:
            asked = replace(parameters, service=image.service, platform=held.platform if held else "")
            predicates[PROVENANCE] = slsa_predicate(
                asked, commit, bases.get(image.service, ()), replace(run, slipway=own)
            )
        found.append(replace(image, predicates=predicates))
    return found


def _packages(references: Sequence[str], registry: ContainerRegistry) -> dict[str, ImageContents]:
    """What is in each image; one whose layers cannot be read is told, and is released without an SBOM."""
    try:
        return read_image_packages(references, registry)
    except UnreadableAnswer:
        found: dict[str, ImageContents] = {}
        for reference in references:
            try:
                found |= read_image_packages([reference], registry)
            except UnreadableAnswer as error:
                get_run_logger().warning("%s has no SBOM: %s", reference, error)
        return found


@task(name="read attestations", **RETRIED)
def read_attestations(
    reference: str, keys: Sequence[TrustedKey], registry: ContainerRegistry, settings: Settings
) -> tuple[str, dict[str, bytes]]:
    """What is attested of an image by a key that is trusted: the key's fingerprint, and kind → predicate; '' and
    nothing where no such key attested anything.

    Raises:
        VerificationFailed, CosignMissing
    """
    by, found = attested(reference, keys, registry, settings)
    if not found:
        get_run_logger().warning("nothing is attested of %s by a key that is trusted", reference)
    return by, found


def attested(
    reference: str, keys: Sequence[TrustedKey], registry: ContainerRegistry, settings: Settings
) -> tuple[str, dict[str, bytes]]:
    """The same outside of a run.

    Raises:
        VerificationFailed, CosignMissing
    """
    found: dict[str, bytes] = {}
    by = ""
    digest = split_reference(reference)[1]
    with cosign_at(registry, settings) as cosign:
        for key in keys:
            kinds = [kind for kind in (PROVENANCE, SBOM) if kind not in found]
            commands = [cosign.commands.verify_attestation(reference, kind) for kind in kinds]
            answers = cosign.run_all(commands, public_key(key.public_key))
            for kind, answer in zip(kinds, answers, strict=True):
                if answer.returncode == 0:
                    found[kind], by = read_predicate(answer.stdout, digest), by or key.fingerprint
                elif not _said_no(answer.returncode, answer.stderr):
                    raise VerificationFailed(
                        f"what is attested of {reference} could not be read: `cosign verify-attestation` ended with "
                        f"exit {answer.returncode}: {masked_end(answer.stderr, 2)}"
                    )
    return by, found


def read_predicate(printed: str, digest: str) -> bytes:
    """The predicate of the last envelope that cosign printed, which is about this digest.

    Raises:
        UnreadableAnswer: it is not what cosign prints, or is about another image.
    """
    return _predicate(printed, digest)


@reads("what cosign says of an attestation")
def _predicate(printed: str, digest: str) -> bytes:
    statement = json.loads(base64.b64decode(json.loads(printed.strip().splitlines()[-1])["payload"], validate=True))
    subjects = [subject["digest"].get("sha256") for subject in statement["subject"]]
    if digest.removeprefix("sha256:") not in subjects:
        raise UnreadableAnswer("an attestation is about another image")
    return json.dumps(statement["predicate"]).encode()


def _said_no(code: int, said: str) -> bool:
    """Whether it answered that no such attestation is there, or none by this key."""
    verdict = read_verdict(code, said)
    return verdict in (SignatureVerdict.UNSIGNED, SignatureVerdict.OTHER_KEY) or (
        verdict is SignatureVerdict.UNCLEAR and "no matching attestations" in said
    )
