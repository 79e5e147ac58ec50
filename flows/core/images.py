"""Names of images: what Compose calls them, and where in the registry they go."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from flows.core.errors import BadTag
from flows.core.stack import Stack

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
RELEASE = "release"
_HUB = ("docker.io", "index.docker.io")


@dataclass(frozen=True)
class Layout:
    """Where a registry wants images: `HOST/NAMESPACE/NAME:TAG`, or all in one repository as `NAME-TAG`.

    Registries that bill by repository (DigitalOcean's Starter and Basic plans) call for the second.
    """

    host: str
    namespace: str = ""
    single_repository: str = ""

    @property
    def prefix(self) -> str:
        """What the compose file's `${REGISTRY}` stands for."""
        return "/".join(part for part in (self.host, self.namespace) if part)

    def reference(self, name: str, tag: str) -> str:
        """`repository:tag` for the image `name` of the release `tag`."""
        if self.single_repository:
            return f"{self.prefix}/{self.single_repository}:{check_tag(f'{name}-{tag}')}"
        return f"{self.prefix}/{name}:{tag}"

    def release_reference(self, stack: str, tag: str) -> str:
        """Where the release's own files go, beside its images."""
        return self.reference(f"{slug(stack)}-{RELEASE}", tag)


@dataclass(frozen=True)
class Plan:
    """Which image each service runs: built ones by target reference, the others as the stack names them.

    Args:
        built: target reference → the service whose build makes it.
        external: image name → the services that run it.
        services: service → target reference or external image name.
    """

    built: Mapping[str, str]
    external: Mapping[str, tuple[str, ...]]
    services: Mapping[str, str]


def plan_images(stack: Stack, layout: Layout, tag: str) -> Plan:
    """Give every image of the stack its place. Services that share an image share its reference."""
    makers: dict[str, str] = {}
    for service in stack.services.values():
        if service.build:
            makers.setdefault(service.image, service.name)
    target = {image: layout.reference(name, tag) for image, name in _names(makers, layout, stack.name).items()}
    external: dict[str, tuple[str, ...]] = {}
    for service in stack.services.values():
        if service.image not in target:
            external[service.image] = (*external.get(service.image, ()), service.name)
    return Plan(
        built={target[image]: maker for image, maker in makers.items()},
        external=external,
        services={s.name: target.get(s.image, s.image) for s in stack.services.values()},
    )


def _names(makers: Mapping[str, str], layout: Layout, stack: str) -> dict[str, str]:
    """Image → its name in the registry: its own; its maker's where two would share one; numbered where that is taken.

    Two images in one place would be one image: the second push would be what both services run.
    """
    release = f"{slug(stack)}-{RELEASE}"
    own = {image: _path(repository_name(image, layout), layout) for image in makers}
    often = Counter([*own.values(), release])
    names = {image: name for image, name in own.items() if often[name] == 1}
    for image in (image for image in makers if image not in names):
        maker = slug(makers[image])
        taken = {*names.values(), release}
        names[image] = next(n for n in (maker, *(f"{maker}-{i}" for i in range(2, len(makers) + 3))) if n not in taken)
    return names


def _path(name: str, layout: Layout) -> str:
    """A name as the registry takes it: a tag, where all images share a repository, has no slashes."""
    return slug(name) if layout.single_repository else "/".join(slug(part) for part in name.split("/"))


def repository_name(image: str, layout: Layout) -> str:
    """The last part of an image's name, or all that follows our own registry's prefix."""
    repository = split_reference(image)[0]
    own = f"{layout.prefix}/"
    return repository.removeprefix(own) if repository.startswith(own) else repository.rsplit("/", 1)[-1]


def split_reference(reference: str) -> tuple[str, str]:
    """Split `repository[:tag][@digest]` into repository and tag or digest ('latest' when there is neither)."""
    if "@" in reference:
        name, digest = reference.split("@", 1)
        return split_reference(name)[0], digest
    head, _, last = reference.rpartition("/")
    name, _, tag = last.partition(":")
    return (f"{head}/{name}" if head else name), tag or "latest"


def split_host(repository: str) -> tuple[str, str]:
    """Split a repository into registry host and path, by Docker's rule (a first part with '.', ':' or 'localhost')."""
    first, _, rest = repository.partition("/")
    if rest and ("." in first or ":" in first or first == "localhost"):
        return first, rest
    return "docker.io", repository if rest else f"library/{repository}"


def engine_name(reference: str) -> str:
    """`repository@digest` as the engine lists it in RepoDigests: without a tag, and Docker Hub's names in short."""
    repository, digest = split_reference(reference)
    host, path = split_host(repository)
    return f"{path.removeprefix('library/') if host in _HUB else repository}@{digest}"


def slug(name: str) -> str:
    """A service name as a repository name: lower case, and no character a registry refuses."""
    return re.sub(r"[._-]*[^a-z0-9._-]+[._-]*|[._-]{2,}", "-", name.lower()).strip("._-") or "image"


def check_tag(tag: str) -> str:
    """Return the tag.

    Raises:
        BadTag: a registry would refuse it (OCI distribution spec: 1 to 128 of [A-Za-z0-9_.-], no leading . or -).
    """
    if not _TAG.fullmatch(tag):
        raise BadTag(f"'{tag}' is no image tag: 1 to 128 letters, digits, '_', '.', '-', not starting with '.' or '-'")
    return tag
