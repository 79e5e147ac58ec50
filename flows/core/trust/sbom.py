"""The SBOM of an image: CycloneDX 1.6, as JSON. The same image, the same bytes.

Source: https://cyclonedx.org/docs/1.6/json/, and the types of https://github.com/package-url/purl-spec.
"""

import uuid
from collections.abc import Iterable, Sequence

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from flows.core.registry.references import split_reference
from flows.core.trust.packages.image import ImageContents
from flows.core.trust.packages.package import Distribution, Package, PackageKind

# Of the serial number, which is made of the image's digest: RFC 4122, a name in a name space of ours.
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "slipway.dev")
_UNREAD = "slipway:unread"


def sbom(image: str, digest: str, contents: ImageContents, slipway: str = "") -> bytes:
    """The SBOM of an image, by the packages that were read in it.

    Args:
        image: its repository (a tag or digest behind it says nothing here).
        slipway: the version of Slipway that writes it.
    """
    found, licenses = contents.packages, LicenseFactory()
    repository = split_reference(image)[0]
    subject = Component(
        type=ComponentType.CONTAINER,
        name=repository,
        version=digest,
        bom_ref=digest,
        purl=_image_url(repository, digest, contents.platform),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest.removeprefix("sha256:"))],
        properties=[Property(name=_UNREAD, value=sentence) for sentence in found.unread],
    )
    tool = Component(type=ComponentType.APPLICATION, name="slipway", version=slipway or None)
    bom = Bom(
        serial_number=uuid.uuid5(_NAMESPACE, f"{repository}@{digest}"),
        metadata=BomMetaData(component=subject, timestamp=contents.created, tools=ToolRepository(components=[tool])),
        components=_components(found.packages, found.distribution, licenses),
    )
    bom.register_dependency(subject, bom.components)
    return JsonV1Dot6(bom).output_as_string().encode()


def package_url(package: Package, distribution: Distribution) -> PackageURL:
    """The package URL of a package, in its distribution."""
    namespace, name = "", package.name
    qualifiers = {}
    if package.kind in (PackageKind.DEB, PackageKind.APK):
        namespace = distribution.id or ("debian" if package.kind is PackageKind.DEB else "alpine")
        release = "-".join(filter(None, (distribution.id, distribution.version)))
        qualifiers = {"arch": package.architecture, "distro": release, "upstream": package.source}
    elif package.kind is PackageKind.NPM and name.startswith("@"):
        namespace, _, name = name.partition("/")
    return PackageURL(
        type=package.kind.value,
        namespace=namespace or None,
        name=name or package.name,
        version=package.version,
        qualifiers={key: value for key, value in qualifiers.items() if value},
    )


def _components(
    packages: Sequence[Package], distribution: Distribution, licenses: LicenseFactory
) -> Iterable[Component]:
    by_url = {package_url(package, distribution): package for package in packages}  # PyYAML and pyyaml are one
    parsed = {said: licenses.make_from_string(said) for said in {package.license for package in packages} if said}
    for url, package in by_url.items():
        yield Component(
            type=ComponentType.LIBRARY,
            name=package.name,
            version=package.version,
            purl=url,
            bom_ref=url.to_string(),
            licenses=[parsed[package.license]] if package.license else [],
        )


def _image_url(repository: str, digest: str, platform: str) -> PackageURL:
    qualifiers = {"repository_url": repository, "arch": [*platform.split("/"), ""][1]}
    return PackageURL(
        type="oci",
        name=repository.rpartition("/")[2],
        version=digest,
        qualifiers={key: value for key, value in qualifiers.items() if value},
    )
