"""Which images of a release are signed, and as what."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flows.core.registry.references import split_host, split_reference
from flows.core.release.image_plan import ImagePlan


@dataclass(frozen=True)
class ToSign:
    """An image that a release needs signed.

    Args:
        reference: `repository@sha256:…`.
        service: whose image it is; '' for a copy.
        source: what it is the copy of, as the stack names it; '' for one that was built.
        predicates: cosign's name of a predicate's type → its JSON; attested before the image is signed.
    """

    reference: str
    service: str = ""
    source: str = ""
    predicates: Mapping[str, bytes] = field(default_factory=dict)


def images_to_sign(plan: ImagePlan, built: Mapping[str, str], external: Mapping[str, str], host: str) -> list[ToSign]:
    """The images that were built, and the copies of images from elsewhere. What is only pinned is not ours to sign.

    Args:
        built: target reference → digest.
        external: image as the stack names it → `repository@sha256:…` that the release runs.
        host: of the registry.
    """
    found: dict[str, ToSign] = {}
    for reference, digest in built.items():
        pinned = f"{split_reference(reference)[0]}@{digest}"
        found.setdefault(pinned, ToSign(pinned, service=plan.built[reference]))
    for image, pinned in external.items():
        if split_host(pinned)[0] == host != split_host(image)[0]:
            found.setdefault(pinned, ToSign(pinned, source=image))
    return [found[reference] for reference in sorted(found)]
