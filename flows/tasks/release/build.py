"""Builds images on the build host and pushes them."""

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from prefect.logging import get_run_logger

from blocks import ContainerRegistry
from blocks.errors import NotInRegistry
from blocks.registry.client import RegistryClient
from flows.core.droplet.docker_commands import Compose, inspect_images, push
from flows.core.errors import BuildFailed, PushFailed
from flows.core.registry.certificates import certificate_hint
from flows.core.registry.engine_images import Built, read_built
from flows.core.registry.logins import login_refused
from flows.core.registry.references import is_digest, split_host, split_reference
from flows.core.release.image_plan import ImagePlan
from flows.core.release.push_order import push_waves
from flows.settings import Settings
from flows.tasks.build_host import TIMED_OUT, run
from flows.tasks.deploy.pull import PrefetchQueue
from flows.tasks.release.build_inputs import BuildInputs
from flows.tasks.release.live_commands import stream
from flows.tasks.runs.declaration import task
from flows.tasks.runs.log_masking import masked_end
from flows.tasks.runs.registry_writes import registry_writes
from flows.tasks.runs.retries import ONCE, RETRIED

SIDE_BY_SIDE = 8


@dataclass(frozen=True)
class Builds:
    """What was built: the images, and the lines that the builds printed."""

    images: list[Built]
    log: list[str]


@task(name="check registry", task_run_name="check the login at {registry.host}", timeout_seconds=60, **RETRIED)
def check_registry(registry: ContainerRegistry) -> str:
    """Make sure the registry takes our login, before anything else is done."""
    return registry.reach()


@task(name="build images", **ONCE)
def build_images(
    inputs: BuildInputs, plan: ImagePlan, wanted: Sequence[str], settings: Settings, env: Mapping[str, str]
) -> Builds:
    """Build every wanted image once, with Compose, and return what was built.

    Images that others start from are built first; those of services that are not wanted are only built.

    Raises:
        BuildFailed: with the build's own last words.
    """
    made = {plan.services[name] for name in wanted} & set(plan.built)
    if not made:
        return Builds([], [])
    said: list[str] = []
    log, deadline = get_run_logger(), time.monotonic() + settings.build_timeout
    for note in inputs.notes:
        log.info("%s", note)
    with inputs.written() as path:
        compose = Compose(inputs.document["name"], (path,), docker=settings.docker)
        for wave in inputs.waves:
            if len(inputs.waves) > 1:
                log.info("building %s", ", ".join(wave))
            left = max(1.0, deadline - time.monotonic())
            code, lines = stream([compose.build(*wave)], {**env, **inputs.variables}, left)
            if code:
                raise BuildFailed(_told("`docker compose build`", code, lines, settings.build_timeout))
            said += lines
    return Builds(built_images(sorted(made), settings, env), said)


def built_images(references: Sequence[str], settings: Settings, env: Mapping[str, str]) -> list[Built]:
    """What the engine knows of these images.

    Raises:
        BuildFailed: it does not have one of them.
    """
    if not references:
        return []
    answer = run(inspect_images(references, settings.docker), env)
    if answer.returncode != 0:
        said = masked_end(answer.stderr)
        raise BuildFailed(f"{said}. Build it first: leave --services out, or name its service too")
    return read_built(references, answer.stdout)


@task(name="push images", **RETRIED)
def push_images(
    images: Sequence[Built],
    registry: ContainerRegistry,
    settings: Settings,
    env: Mapping[str, str],
    ahead: PrefetchQueue | None = None,
) -> dict[str, str]:
    """Push what the registry does not have, and return reference → digest.

    An image that was pushed before, under whatever tag, only gets the new tag there. Layers that images share are
    pushed once. The digest of an image is the one that the engine knows it by, never what its tag happens to mean; that
    the registry shows the same one is checked for every image.

    Args:
        ahead: is told of each image as soon as the registry has it.

    Raises:
        PushFailed, and what the registry client raises
    """
    log, digests = get_run_logger(), dict[str, str]()
    with registry_writes(registry, settings), registry.client() as client, ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        there = dict(zip(images, pool.map(lambda image: _retag(client, image), images), strict=True))
        missing = {image.reference: image.layers for image, digest in there.items() if digest is None}
        known = frozenset(layer for image in images if image.reference not in missing for layer in image.layers)
        if len(missing) < len(images):
            log.info("%d of %d images are in the registry already", len(images) - len(missing), len(images))
        if missing:
            for wave in push_waves(missing, known):
                registry.wait_writable(settings.collection_timeout, log.warning)
                log.info("pushing %s", ", ".join(wave))
                commands = [push(reference, settings.docker) for reference in wave]
                with registry.docker_config() as login:  # anew for each: a login may live for minutes
                    code, lines = stream(commands, {**env, **login}, settings.push_timeout)
                if code:
                    if login_refused(lines) and registry.renew(write=True):
                        log.warning("the login at %s was refused: it has expired. There is a new one", registry.host)
                    raise PushFailed(_told("`docker push`", code, lines, settings.push_timeout))
                shown = dict(pool.map(lambda reference: (reference, _digest(client, reference)), wave))
                _cross_check(shown, settings, env)
                digests |= shown
                if ahead:
                    _pull_ahead(ahead, digests, [image for image in images if image.reference in wave])
        known_by = {image.reference: digest for image, digest in there.items() if digest is not None}
        for reference, shows in pool.map(lambda reference: (reference, _digest(client, reference)), known_by):
            if shows != known_by[reference]:
                raise _moved(reference, shows, known_by[reference])
    return {image.reference: (digests | known_by)[image.reference] for image in images}


def _pull_ahead(ahead: PrefetchQueue, digests: Mapping[str, str], images: Sequence[Built]) -> None:
    by_digest = {f"{split_reference(i.reference)[0]}@{digests[i.reference]}": i for i in images}
    ahead.pull(
        {reference: image.size for reference, image in by_digest.items()},
        {reference: image.platform for reference, image in by_digest.items()},
    )


def _retag(client: RegistryClient, image: Built) -> str | None:
    """Give an image that the registry has the reference's tag; its digest, or None if it must be pushed."""
    repository, tag = split_reference(image.reference)
    path = split_host(repository)[1]
    for known in image.digests:
        named, digest = split_reference(known)
        if named != repository or not is_digest(digest):
            continue
        try:
            if _tagged(client, path, tag) != digest:
                client.tag(path, client.manifest(path, digest), tag)
        except NotInRegistry:
            continue
        return digest
    return None


def _tagged(client: RegistryClient, path: str, tag: str) -> str | None:
    try:
        return client.digest(path, tag)
    except NotInRegistry:
        return None


def _digest(client: RegistryClient, reference: str) -> str:
    repository, tag = split_reference(reference)
    return client.digest(split_host(repository)[1], tag)


def _cross_check(digests: Mapping[str, str], settings: Settings, env: Mapping[str, str]) -> None:
    """The engine must know what it pushed by the digest that the registry shows."""
    for image in built_images(sorted(digests), settings, env):
        if f"{split_reference(image.reference)[0]}@{digests[image.reference]}" not in image.digests:
            raise _moved(image.reference, digests[image.reference], ", ".join(image.digests) or "nothing")


def _moved(reference: str, shows: str, ours: str) -> PushFailed:
    return PushFailed(
        f"the registry shows {shows} for {reference}, the engine pushed {ours}: somebody else pushed this tag at the "
        "same time. Give another --tag"
    )


def _told(what: str, code: int, lines: Iterable[str], timeout: float) -> str:
    if code == TIMED_OUT:
        setting = "SLIPWAY_BUILD_TIMEOUT" if "build" in what else "SLIPWAY_PUSH_TIMEOUT"
        return f"{what} did not end within {timeout:.0f} s and was ended. A longer limit: {setting}"
    said = "\n".join(lines)
    return "\n".join(
        part for part in (f"{what} ended with exit {code}:", masked_end(said, 12), certificate_hint(said)) if part
    )
