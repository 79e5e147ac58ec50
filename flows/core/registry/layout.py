"""Where a registry wants images."""

from dataclasses import dataclass

from flows.core.registry.references import check_tag, slug, split_reference

RELEASE = "release"


@dataclass(frozen=True)
class RegistryLayout:
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


def _path(name: str, layout: RegistryLayout) -> str:
    """A name as the registry takes it: a tag, where all images share a repository, has no slashes."""
    return slug(name) if layout.single_repository else "/".join(slug(part) for part in name.split("/"))


def repository_name(image: str, layout: RegistryLayout) -> str:
    """The last part of an image's name, or all that follows our own registry's prefix."""
    repository = split_reference(image)[0]
    own = f"{layout.prefix}/"
    return repository.removeprefix(own) if repository.startswith(own) else repository.rsplit("/", 1)[-1]
