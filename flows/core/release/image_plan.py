"""The image plan: which image each service runs, and the name it is published by."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from flows.core.registry.layout import RELEASE, RegistryLayout, _path, repository_name
from flows.core.registry.references import slug
from flows.core.stack.stack import Stack


@dataclass(frozen=True)
class ImagePlan:
    """Which image each service runs: built ones by target reference, the others as the stack names them.

    Args:
        built: target reference → the service whose build makes it.
        external: image name → the services that run it.
        services: service → target reference or external image name.
    """

    built: Mapping[str, str]
    external: Mapping[str, tuple[str, ...]]
    services: Mapping[str, str]


def plan_images(stack: Stack, layout: RegistryLayout, tag: str) -> ImagePlan:
    """Plan the target reference of every image. Services that share an image share its reference."""
    makers: dict[str, str] = {}
    for service in stack.services.values():
        if service.build:
            makers.setdefault(service.image, service.name)
    target = {image: layout.reference(name, tag) for image, name in _names(makers, layout, stack.name).items()}
    external: dict[str, tuple[str, ...]] = {}
    for service in stack.services.values():
        if service.image not in target:
            external[service.image] = (*external.get(service.image, ()), service.name)
    return ImagePlan(
        built={target[image]: maker for image, maker in makers.items()},
        external=external,
        services={s.name: target.get(s.image, s.image) for s in stack.services.values()},
    )


def _names(makers: Mapping[str, str], layout: RegistryLayout, stack: str) -> dict[str, str]:
    """Image → its name in the registry: its own; its service's where two would share one; numbered where that is used.

    Two images of one name would be one image: both services would run the one pushed last.
    """
    release = f"{slug(stack)}-{RELEASE}"
    own = {image: _path(repository_name(image, layout), layout) for image in makers}
    often = Counter([*own.values(), release])
    names = {image: name for image, name in own.items() if often[name] == 1}
    for image in (image for image in makers if image not in names):
        maker = slug(makers[image])
        used = {*names.values(), release}
        names[image] = next(n for n in (maker, *(f"{maker}-{i}" for i in range(2, len(makers) + 3))) if n not in used)
    return names
