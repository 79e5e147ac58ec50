"""build-push: build the stack once, push it, publish the release."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from prefect.logging import get_run_logger

from blocks import ContainerRegistry
from flows.core.deploy.content_labels import refuse_unset_contents
from flows.core.deploy.files.staging import environment_contents
from flows.core.errors import BrokenStack
from flows.core.registry.references import check_tag, split_host, split_reference
from flows.core.release.image_plan import ImagePlan, plan_images
from flows.core.results import Published
from flows.core.secrets.release_environment import OWN
from flows.core.trust.provenance import BuildParameters, BuildRun
from flows.core.trust.to_sign import ToSign, images_to_sign
from flows.hooks import prune_build_host_after_failure
from flows.settings import Settings
from flows.tasks.control.superseding import end_superseded, give_way
from flows.tasks.deploy.pull import PrefetchQueue
from flows.tasks.droplet.connection import connected
from flows.tasks.release.build import Builds, build_images, check_registry, push_images
from flows.tasks.release.build_inputs import BuildInputs, build_inputs, read_dockerfiles
from flows.tasks.release.fetch import latest_release, newest_verified, tag_before
from flows.tasks.release.files.listing import list_files
from flows.tasks.release.pin_images import mirrored, pin_external
from flows.tasks.release.publish import publish_release, reuse_images
from flows.tasks.release.published import keep_published, measure_build, workflow_url
from flows.tasks.runs.blocks import (
    engine_environment,
    layout,
    load_droplet,
    load_environment,
    load_registry,
    load_signing_key,
)
from flows.tasks.runs.declaration import flow
from flows.tasks.runs.measuring import measuring
from flows.tasks.runs.reports import reports_directory
from flows.tasks.runs.run_info import whoami
from flows.tasks.stack.commit.checkout import checked_out
from flows.tasks.stack.commit.commit_settings import commit_settings
from flows.tasks.stack.environment import variables, warn_of_outdated
from flows.tasks.stack.project import stack_name
from flows.tasks.stack.run_names import run_name
from flows.tasks.stack.source import default_tag, read_stack
from flows.tasks.trust.attestation import with_predicates
from flows.tasks.trust.signing import sign_all, sign_release
from flows.tasks.trust.verification import check_signing


@flow(
    name="build-push",
    flow_run_name=run_name("build and push {stack} {tag}"),
    on_completion=[end_superseded],
    on_failure=[prune_build_host_after_failure, end_superseded],
    on_crashed=[prune_build_host_after_failure],
    on_cancellation=[prune_build_host_after_failure],
)
def build_push(
    stack: str | None = None,
    tag: str | None = None,
    services: list[str] | None = None,
    env_file: str | None = None,
    mirror_external: bool | None = None,
    cleanup_on_failure: bool | None = None,  # noqa: ARG001 — read by the hook, from the run
    ref: str | None = None,
    pull_ahead: str | None = None,
) -> Published:
    """Build the stack on the build host, push its images, and publish the release beside them.

    Args:
        stack: compose file or its directory (several files joined by ':'); default: the setting `stack`.
        tag: the release's tag; default: the short git commit, with `-dirty-…` when the tree has changes.
        services: build and push only these; the others keep the images of the newest release published.
        env_file: an env file over the environment block's variables.
        mirror_external: copy images from elsewhere into the registry; default: the setting.
        cleanup_on_failure: prune after a failed build or push; default: on when CI is set.
        ref: build this git commit or branch, in a work tree of its own; default: the checkout as it lies there.
        pull_ahead: name of a Droplet block; it pulls each image as soon as it is pushed. Nothing there is started.
    """
    with commit_settings(stack, ref):
        settings = _settings(mirror_external)
        give_way(stack, settings)
        registry = load_registry(settings)
        check_registry(registry)
        with checked_out(stack or settings.stack, ref) as place, _prefetching(pull_ahead, registry, settings) as ahead:
            check_signing(load_signing_key(settings), stack_name(place), settings, pull_ahead)
            return _build_push(place, tag, tuple(services or ()), env_file, registry, settings, ahead, ref or "")


def _build_push(
    stack: str,
    tag: str | None,
    services: tuple[str, ...],
    env_file: str | None,
    registry: ContainerRegistry,
    settings: Settings,
    ahead: PrefetchQueue | None,
    ref: str,
) -> Published:
    began, started = time.monotonic(), datetime.now(UTC)
    name = stack_name(stack)
    tag = check_tag(tag or default_tag(stack))
    env = engine_environment(settings)
    reports_directory(settings.reports)
    environment = load_environment(settings, name)
    values = variables(environment, env_file)
    place = layout(registry)

    source = read_stack(stack, settings, place.prefix, tag, values, environment.contents())
    if source.stack.name != name:
        raise BrokenStack(
            f"the stack is called {source.stack.name} with the variables of the environment block '{name}', which is "
            f"another's by that. Save it under its own: slipway environment set --stack {stack}"
        )
    warn_of_outdated(environment, values, source, settings)
    if ahead:  # it goes to a droplet next: what its environment lacks is refused before the build
        environment_contents(name, source.sources.directory, source.sources.needed, environment.contents())
        ahead.check_compose(name, source.compose_needs)
        known = {**values, **dict.fromkeys(OWN, "")}
        refuse_unset_contents(source.stack, known, f"stack {name} uses")
    shipment = list_files(source, environment.contents(), settings)
    plan = plan_images(source.stack, place, tag)
    wanted = [service.name for service in source.stack.pick(services)]
    inputs = build_inputs(source, plan, wanted, values, environment.contents())
    references = [*plan.built, place.release_reference(name, tag)]
    if settings.mirror_external:
        copied = [image for image in plan.external if split_host(image)[0] != registry.host]
        references += [mirrored(image, tag, registry) for image in copied]
    _wait_for_room(references, registry, settings)
    previous = latest_release(name, registry)
    if services and previous:
        previous = newest_verified(name, previous.tag, registry, settings)
    kept = reuse_images(plan, wanted, previous, registry) if services else {}
    external = pin_external(sorted(plan.external), tag, registry, settings, env) if plan.external else {}

    made, digests = _build_and_push(inputs, plan, wanted, registry, settings, env, ahead)
    before = tag_before(name, tag, previous, registry)
    built = {**kept, **digests}
    key, published_at = load_signing_key(settings), datetime.now(UTC).isoformat(timespec="milliseconds")

    def described(images: Sequence[ToSign]) -> list[ToSign]:
        files = tuple(source.sources.relative(path) for path in source.given)
        asked = BuildParameters(name, tag, "", ref, files, settings.profiles)
        run = BuildRun(workflow_url(), started.isoformat(timespec="seconds"), published_at, whoami())
        texts = read_dockerfiles(source.stack)
        return with_predicates(images, source, plan, built, asked, run, made.log, texts, registry, settings, env)

    images = images_to_sign(plan, built, external, registry.host)
    signed = sign_all(images, name, tag, source.commit, key, registry, settings, described)
    release, digest = publish_release(
        source, plan, tag, built, external, previous, before, shipment, registry, settings, signed, published_at
    )
    if key:
        reference = f"{split_reference(place.release_reference(name, tag))[0]}@{digest}"
        sign_release(release, reference, published_at, key, registry, settings)

    published = Published(release, before, time.monotonic() - began, digest, measure_build(release, digests, previous))
    keep_published(published, started, settings)
    return published


def _build_and_push(
    inputs: BuildInputs,
    plan: ImagePlan,
    wanted: Sequence[str],
    registry: ContainerRegistry,
    settings: Settings,
    env: Mapping[str, str],
    ahead: PrefetchQueue | None,
) -> tuple[Builds, dict[str, str]]:
    """What was built, and reference → digest of what the registry has of it now."""
    count = len({plan.services[service] for service in wanted} & set(plan.built))
    with measuring():
        made = build_images.with_options(task_run_name=f"build {count} images")(inputs, plan, wanted, settings, env)
        push = push_images.with_options(task_run_name=f"push {count} images")
        return made, push(made.images, registry, settings, env, ahead)


def _wait_for_room(references: Sequence[str], registry: ContainerRegistry, settings: Settings) -> None:
    registry.check_room({split_host(split_reference(reference)[0])[1] for reference in references})
    registry.wait_writable(settings.collection_timeout, get_run_logger().warning)


@contextmanager
def _prefetching(
    droplet: str | None, registry: ContainerRegistry, settings: Settings
) -> Iterator[PrefetchQueue | None]:
    if droplet is None:
        yield None
        return
    with (
        connected(load_droplet(droplet)) as session,
        PrefetchQueue(session, registry, settings, get_run_logger()) as ahead,
    ):
        yield ahead
    with measuring(droplet) as measured:
        measured.ahead |= ahead.pulled


def _settings(mirror_external: bool | None) -> Settings:
    return Settings() if mirror_external is None else Settings(mirror_external=mirror_external)
