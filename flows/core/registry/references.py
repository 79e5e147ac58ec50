"""Image references: their parts, tags and names, as the engine reads them."""

import re

from flows.core.errors import BadTag

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
# The digest it is about, and what it is.
SIGNATURE_TAG = re.compile(r"sha256-([0-9a-f]{64})\.(sig|att|sbom)")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# A repository and a tag by the engine's grammar: a host with a port, components of the path, and what separates them.
_REPOSITORY = re.compile(
    r"(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?/)?"
    r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
)
_HUB = ("docker.io", "index.docker.io")


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
    """Return the tag, checked.

    Raises:
        BadTag: a registry would refuse it (OCI distribution spec: 1 to 128 of [A-Za-z0-9_.-], no leading . or -).
    """
    if not is_tag(tag):
        raise BadTag(f"'{tag}' is no image tag: 1 to 128 letters, digits, '_', '.', '-', not starting with '.' or '-'")
    return tag


def is_tag(text: str) -> bool:
    """Whether a registry takes this as a tag."""
    return _TAG.fullmatch(text) is not None


def is_signature_tag(tag: str) -> bool:
    """Whether this is a tag of cosign's, for a signature, an attestation or an SBOM of a digest."""
    return SIGNATURE_TAG.fullmatch(tag) is not None


def is_digest(text: str) -> bool:
    """Whether this is a digest, as registries and the engine write it; of SHA-256, which all of them use."""
    return _DIGEST.fullmatch(text) is not None


def is_pinned(reference: str) -> bool:
    """Whether this is `repository@sha256:…`; a tag before the digest says nothing, and is allowed."""
    name, _, digest = reference.partition("@")
    repository, tag = split_reference(name)
    return is_digest(digest) and is_tag(tag) and _REPOSITORY.fullmatch(repository) is not None
