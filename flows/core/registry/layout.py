"""The layout of a registry: the names under which images and releases are published."""

from dataclasses import dataclass

from flows.core.registry.references import check_tag, is_signature_tag, slug, split_reference

RELEASE = "release"


@dataclass(frozen=True)
class RegistryLayout:
    """The layout of a registry: `HOST/NAMESPACE/NAME:TAG`, or all images in one repository as `NAME-TAG`.

    Registries that bill by repository (DigitalOcean's Starter and Basic plans) call for the second.
    """

    host: str
    namespace: str = ""
    single_repository: str = ""

    @property
    def prefix(self) -> str:
        """The value of `${REGISTRY}` in compose files."""
        return "/".join(part for part in (self.host, self.namespace) if part)

    def reference(self, name: str, tag: str) -> str:
        """`repository:tag` for the image `name` of the release `tag`."""
        if self.single_repository:
            return f"{self.prefix}/{self.single_repository}:{check_tag(f'{name}-{tag}')}"
        return f"{self.prefix}/{name}:{tag}"

    def release_reference(self, stack: str, tag: str) -> str:
        """`repository:tag` of the release's own files."""
        return self.reference(f"{slug(stack)}-{RELEASE}", tag)


def release_tag(tag: str, stack: str, layout: RegistryLayout) -> str | None:
    """The release that a tag beside a stack's releases means, or None: it is of something else, or a signature."""
    if is_signature_tag(tag):
        return None
    if not layout.single_repository:
        return tag
    mark = f"{slug(stack)}-{RELEASE}-"
    return tag.removeprefix(mark) if tag.startswith(mark) else None


def _path(name: str, layout: RegistryLayout) -> str:
    """A name that the registry accepts: it becomes part of a tag, without slashes, where images share a repository."""
    return slug(name) if layout.single_repository else "/".join(slug(part) for part in name.split("/"))


def repository_name(image: str, layout: RegistryLayout) -> str:
    """The name of an image in the registry: what follows our own prefix, else the last part of its name."""
    repository = split_reference(image)[0]
    own = f"{layout.prefix}/"
    return repository.removeprefix(own) if repository.startswith(own) else repository.rsplit("/", 1)[-1]
