"""Signs what a release has built, and the release itself."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from prefect.logging import get_run_logger

from blocks import ContainerRegistry, SigningKey
from blocks.errors import NotInRegistry
from flows.core.errors import SigningFailed
from flows.core.registry.references import split_host, split_reference
from flows.core.release.release import Release, SignedAs
from flows.core.trust.signatures import image_annotations, read_payloads, release_annotations, signed_before
from flows.core.trust.to_sign import ToSign
from flows.settings import Settings
from flows.tasks.private_directory import private_directory
from flows.tasks.runs.declaration import task
from flows.tasks.runs.log_masking import masked_end
from flows.tasks.runs.registry_writes import registry_writes
from flows.tasks.runs.retries import RETRIED
from flows.tasks.trust.cosign import Cosign, cosign_at, private_key, public_key


@task(name="find signatures", task_run_name="find what is signed already", **RETRIED)
def signed_already(
    images: Sequence[ToSign], stack: str, key: SigningKey, registry: ContainerRegistry, settings: Settings
) -> dict[str, SignedAs]:
    """Which of these images this key has signed for this stack before, and as what: they are not signed again."""
    with registry.client() as client:
        there = []
        for image in images:
            repository, digest = split_reference(image.reference)
            try:
                client.digest(split_host(repository)[1], f"{digest.replace(':', '-')}.sig")
            except NotInRegistry:
                continue
            there.append(image)
    if not there:
        return {}
    with cosign_at(registry, settings) as cosign:
        keys = public_key(key.public_key)
        answers = [cosign.run(cosign.commands.verify([image.reference for image in there]), keys)]
        if answers[0].returncode:  # one of them by another key is enough
            answers = cosign.run_all([cosign.commands.verify([image.reference]) for image in there], keys)
    payloads: dict[str, list[dict[str, Any]]] = {}
    for answer in answers:
        if answer.returncode == 0:
            payloads |= read_payloads(answer.stdout)
    found = {}
    for image in there:
        digest = split_reference(image.reference)[1]
        if signed := signed_before(payloads.get(digest, ()), stack, image.service, image.source):
            found[image.reference] = signed
    return found


@task(name="sign images", **RETRIED)
def sign_images(
    images: Sequence[ToSign],
    stack: str,
    tag: str,
    commit: str | None,
    key: SigningKey,
    registry: ContainerRegistry,
    settings: Settings,
) -> dict[str, SignedAs]:
    """Attest and sign images by digest; returns what each was signed as.

    Raises:
        SigningFailed, CosignMissing
    """
    signed = {
        image.reference: SignedAs(service=image.service, release=tag, commit=commit or "", source=image.source)
        for image in images
    }
    with (
        registry_writes(registry, settings),
        cosign_at(registry, settings) as cosign,
        private_directory("attest") as directory,
    ):
        keys = private_key(key)
        # One kind after the other: two attestations of one image at once would overwrite each other.
        for kind in sorted({kind for image in images for kind in image.predicates}):
            commands = []
            for number, image in enumerate(images):
                if kind in image.predicates:
                    path = f"{directory}/{number}-{kind}.json"
                    with open(path, "wb") as file:
                        file.write(image.predicates[kind])
                    commands.append(cosign.commands.attest(image.reference, kind, path, key.kms))
            _run(cosign, commands, keys, key)
        commands = [
            cosign.commands.sign([reference], image_annotations(stack, said), key.kms)
            for reference, said in signed.items()
        ]
        _run(cosign, commands, keys, key)
    return signed


@task(name="sign release", task_run_name="sign the release {release.tag}", **RETRIED)
def sign_release(
    release: Release, reference: str, published: str, key: SigningKey, registry: ContainerRegistry, settings: Settings
) -> None:
    """Sign the release's document and files, by the digest of the image that holds them.

    Args:
        reference: `repository@sha256:…` of that image.
        published: when, ISO 8601, UTC.

    Raises:
        SigningFailed, CosignMissing
    """
    with registry_writes(registry, settings), cosign_at(registry, settings) as cosign:
        command = cosign.commands.sign([reference], release_annotations(release, published), key.kms)
        _run(cosign, [command], private_key(key), key)
    get_run_logger().info("release %s is signed with %s", release.tag, key.fingerprint)


def _run(cosign: Cosign, commands: Sequence[Sequence[str]], keys: Mapping[str, str], key: SigningKey) -> None:
    for answer in cosign.run_all(commands, keys):
        if answer.returncode:
            raise SigningFailed(
                f"`cosign {answer.args[1]}` with key {key.fingerprint} ended with exit {answer.returncode}: "
                f"{masked_end(answer.stderr, 3)}. What was pushed is not released. Is it the right key (slipway keys "
                "show), and may the login push to the registry? Then run it again"
            )


def sign_all(
    images: Sequence[ToSign],
    stack: str,
    tag: str,
    commit: str | None,
    key: SigningKey | None,
    registry: ContainerRegistry,
    settings: Settings,
    describe: Callable[[Sequence[ToSign]], Sequence[ToSign]],
) -> dict[str, SignedAs]:
    """Sign what is not signed yet; returns what each image is signed as, nothing where there is no key.

    Args:
        describe: adds to images what is attested of them.
    """
    if key is None:
        get_run_logger().warning(
            "release %s is not signed: no signing key is saved, so nobody can tell who built it: slipway keys generate",
            tag,
        )
        return {}
    before = signed_already(images, stack, key, registry, settings)
    left = [image for image in images if image.reference not in before]
    if not left:
        return before
    sign = sign_images.with_options(task_run_name=f"attest and sign {len(left)} images")
    return before | sign(describe(left), stack, tag, commit, key, registry, settings)
