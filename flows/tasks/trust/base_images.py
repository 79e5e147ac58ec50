"""Finds out which images the builds of a release started from, by the digests that the engine used."""

from collections.abc import Iterable, Mapping, Sequence

from flows.core.droplet.docker_commands import inspect_images
from flows.core.release.build_order import additional_contexts, base_images, build_arguments
from flows.core.release.image_plan import ImagePlan
from flows.core.stack.builds.dockerfile import image_references
from flows.core.stack.stack import Build, Stack
from flows.core.trust.bases import BaseImage, foreign_bases, known_base, logged_digests
from flows.settings import Settings
from flows.tasks.build_host import run

_IMAGE_CONTEXT = "docker-image://"


def read_base_images(
    stack: Stack,
    plan: ImagePlan,
    dockerfiles: Mapping[str, str | None],
    build_log: Iterable[str],
    digests: Mapping[str, str],
    settings: Settings,
    env: Mapping[str, str],
) -> dict[str, tuple[BaseImage, ...]]:
    """Return service → the images that its build started or copied from, those of the stack itself too.

    BuildKit keeps what it pulls to itself, so its log is what says by which digest an image was used; the engine knows
    those that it has as its own.

    Args:
        dockerfiles: service → its Dockerfile's text; None where it cannot be read.
        build_log: the lines of the builds' plain progress.
        digests: reference → digest of the images of the stack.
    """
    within = base_images(stack, plan, dockerfiles)
    own = [*plan.built, *(stack.services[maker].image for maker in plan.built.values())]
    found = {
        maker: foreign_bases(_references(stack.services[maker].build, dockerfiles[maker]), own) for maker in within
    }
    wanted = sorted({reference for references in found.values() for reference in references})
    logged, inspected = logged_digests(build_log), _inspected(wanted, settings, env)
    known = {reference: known_base(reference, logged, inspected.get(reference)) for reference in wanted}
    known |= {target: BaseImage(target, digests.get(target, "")) for target in plan.built}
    return {
        maker: tuple(known[reference] for reference in dict.fromkeys([*references, *within[maker].values()]))
        for maker, references in found.items()
    }


def _references(build: Build | None, text: str | None) -> list[str]:
    if build is None:
        return []
    named = additional_contexts(build.spec)
    started = [name for name in image_references(text or "", build_arguments(build)) if name not in named]
    contexts = [context for context in named.values() if context.startswith(_IMAGE_CONTEXT)]
    return [*started, *(context.removeprefix(_IMAGE_CONTEXT) for context in contexts)]


def _inspected(references: Sequence[str], settings: Settings, env: Mapping[str, str]) -> dict[str, str]:
    """One at a time: of several, one that the engine lacks fails the command, and what it prints has no names."""
    answers = {reference: run(inspect_images([reference], settings.docker), env) for reference in references}
    return {reference: answer.stdout for reference, answer in answers.items() if answer.returncode == 0}
