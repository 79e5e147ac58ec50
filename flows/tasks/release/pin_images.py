"""Pins images that a stack takes from elsewhere to their digests, or copies them into the registry."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from prefect.logging import get_run_logger

from blocks import ContainerRegistry
from blocks.errors import OutsideError
from blocks.registry.client import RegistryClient
from flows.core.droplet.docker_commands import copy_image, inspect_images, remote_manifest
from flows.core.errors import UnpinnedImage
from flows.core.registry.engine_images import read_known_digests, read_remote_digest
from flows.core.registry.references import is_pinned, slug, split_host, split_reference
from flows.settings import Settings
from flows.tasks.build_host import run
from flows.tasks.runs.blocks import layout
from flows.tasks.runs.declaration import task
from flows.tasks.runs.log_masking import masked_end
from flows.tasks.runs.registry_writes import registry_writes
from flows.tasks.runs.retries import RETRIED


@task(name="pin images from elsewhere", task_run_name="pin the images from elsewhere", **RETRIED)
def pin_external(
    images: Sequence[str], tag: str, registry: ContainerRegistry, settings: Settings, env: Mapping[str, str]
) -> dict[str, str]:
    """Return image name → `repository@digest` for images that the stack takes from elsewhere.

    With `mirror_external` they are copied into the registry, and the copy is what the release runs.

    Raises:
        UnpinnedImage: nobody knows the image's digest, or the registry shows another image where its copy belongs.
    """
    pinned = {}
    with ExitStack() as stack:
        if settings.mirror_external:
            stack.enter_context(registry_writes(registry, settings))
        login, client = stack.enter_context(registry.docker_config()), stack.enter_context(registry.client())
        for image in images:
            pinned[image] = _pin(image, client, settings, {**env, **login})
            if settings.mirror_external and split_host(image)[0] != registry.host:
                target = mirrored(image, tag, registry)
                answer = run(
                    copy_image(pinned[image], target, settings.docker), {**env, **login}, settings.push_timeout
                )
                if answer.returncode:
                    raise UnpinnedImage(f"{image} could not be copied to {target}: {masked_end(answer.stderr, 5)}")
                pinned[image] = _copied(pinned[image], target, client)
            if not is_pinned(pinned[image]):
                raise UnpinnedImage(f"{image} cannot be pinned: {pinned[image]} is no image with a digest of SHA-256")
    return pinned


def _copied(source: str, target: str, client: RegistryClient) -> str:
    """The copy by its digest: the source itself, or an index of that alone, which is how one platform is copied."""
    (repository, tag), digest = split_reference(target), split_reference(source)[1]
    copy = client.manifest(split_host(repository)[1], tag)
    listed = copy.content.get("manifests")
    parts = [part.get("digest") for part in listed if isinstance(part, dict)] if isinstance(listed, list) else []
    if copy.digest != digest and parts != [digest]:
        raise UnpinnedImage(
            f"registry {client.host} shows {copy.digest} for {target}, where the copy of {source} belongs: somebody "
            "else pushed this tag at the same time. Give another --tag"
        )
    return f"{repository}@{copy.digest}"


def mirrored(image: str, tag: str, registry: ContainerRegistry) -> str:
    """What the copy of an image from elsewhere is called in the registry."""
    return layout(registry).reference(slug(split_reference(image)[0].rsplit("/", 1)[-1]), tag)


def _pin(image: str, client: RegistryClient, settings: Settings, env: Mapping[str, str]) -> str:
    if "@sha256:" in image:
        return image
    repository, tag = split_reference(image)
    host, path = split_host(repository)
    if host == client.host:
        try:
            return f"{repository}@{client.digest(path, tag)}"
        except OutsideError as error:
            raise UnpinnedImage(f"{image} has no digest to pin: {error}") from None
    answer = run(remote_manifest(image, settings.docker), env)
    if answer.returncode == 0:
        return f"{repository}@{read_remote_digest(answer.stdout)}"
    local = run(inspect_images([image], settings.docker), env)
    known = read_known_digests(local.stdout) if local.returncode == 0 else ()
    if not known:
        raise UnpinnedImage(
            f"{image} has no digest to pin: its registry does not answer ({masked_end(answer.stderr, 1)}) and this "
            "host never pulled it. Check the name, log in to its registry, or mirror it into yours"
        )
    get_run_logger().warning("%s: its registry does not answer; pinned to the digest this host pulled", image)
    return known[0]
