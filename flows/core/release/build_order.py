"""In which order images are built: one that starts from another service's image comes after it."""

from collections.abc import Collection, Iterable, Mapping

from flows.core.errors import BrokenStack
from flows.core.release.image_plan import ImagePlan
from flows.core.stack.builds.dockerfile import familiar, image_references
from flows.core.stack.stack import Build, Stack

_SERVICE = "service:"
# Service that makes an image → the names its build knows other images of the stack by → their references.
Bases = Mapping[str, Mapping[str, str]]


def base_images(stack: Stack, plan: ImagePlan, dockerfiles: Mapping[str, str | None]) -> dict[str, dict[str, str]]:
    """Which images of the stack each build starts or copies from.

    A build finds them by the reference they are just built under, never by the name that an image of any age may have
    on the build host.

    Args:
        dockerfiles: service → its Dockerfile's text; None where it cannot be read (a remote context): then it may start
            from whatever it depends on.
    """
    makers = {maker: target for target, maker in plan.built.items()}
    named = {familiar(stack.services[maker].image): target for maker, target in makers.items()}
    named |= {familiar(target): target for target in plan.built}
    bases: dict[str, dict[str, str]] = {}
    for maker, own in makers.items():
        service = stack.services[maker]
        assert service.build is not None
        text = dockerfiles.get(maker)
        if text is None:
            references = [stack.services[name].image for name in service.depends_on]
        else:
            references = list(image_references(text, build_arguments(service.build)))
        found = {familiar(name): named[familiar(name)] for name in references if familiar(name) in named}
        found |= {name: plan.services[other] for name, other in _service_contexts(stack, maker).items()}
        bases[maker] = {name: target for name, target in found.items() if target != own}
    return bases


def build_waves(bases: Bases, plan: ImagePlan, wanted: Iterable[str]) -> list[list[str]]:
    """Group the builds of these services, and of the images they start from, so that each wave needs none but earlier
    ones. Within a wave all may run side by side.

    Raises:
        BrokenStack: images are built from each other.
    """
    needs: dict[str, set[str]] = {}
    queue = [plan.built[plan.services[name]] for name in wanted if plan.services[name] in plan.built]
    while queue:
        maker = queue.pop()
        if maker not in needs:
            needs[maker] = {plan.built[target] for target in bases[maker].values() if target in plan.built}
            queue += needs[maker]
    waves: list[list[str]] = []
    while needs:
        wave = sorted(maker for maker, others in needs.items() if not others & needs.keys())
        if not wave:
            raise BrokenStack(
                f"the images of {', '.join(sorted(needs))} are built from each other, so none can be the first. "
                "Let one of them start from an image that the others do not make"
            )
        for maker in wave:
            del needs[maker]
        waves.append(wave)
    return waves


def additional_contexts(build: Mapping[str, object]) -> dict[str, str]:
    """`build.additional_contexts` as a map; Compose takes a list of `NAME=CONTEXT` too."""
    given = build.get("additional_contexts") or {}
    if isinstance(given, Mapping):
        return {str(name): str(context) for name, context in given.items()}
    assert isinstance(given, Collection)
    return dict(str(entry).split("=", 1) for entry in given)


def is_service(context: str) -> bool:
    """Whether an additional context is another service's image (`service:NAME`, Compose 2.33 and later)."""
    return context.startswith(_SERVICE)


def _service_contexts(stack: Stack, maker: str) -> dict[str, str]:
    """Name of an additional context → the service whose image it is.

    Raises:
        BrokenStack: there is no such service.
    """
    build = stack.services[maker].build
    found = {}
    for name, context in additional_contexts(build.spec if build else {}).items():
        if is_service(context):
            other = context.removeprefix(_SERVICE)
            if other not in stack.services:
                raise BrokenStack(f"service {maker} is built with the image of {other}, which the stack does not have")
            found[name] = other
    return found


def build_arguments(build: Build) -> dict[str, str]:
    """The arguments of a build that have a value."""
    given = build.spec.get("args") or {}
    return {name: str(value) for name, value in given.items() if value is not None}
