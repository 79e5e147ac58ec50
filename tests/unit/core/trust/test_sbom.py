"""The SBOM of an image: valid, the same each time, and readable by ourselves."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.core.trust.origin import ListedPackage, read_sbom
from flows.core.trust.packages.image import ImageContents
from flows.core.trust.packages.package import Distribution, ImagePackages, Package, PackageKind
from flows.core.trust.sbom import package_url, sbom
from tests.support.builders import digest

pytestmark = pytest.mark.unit

IMAGE, DIGEST = "registry.example.com/shop/web", digest("a")
PACKAGES = (
    Package(PackageKind.DEB, "libssl3", "1:3.0+b1", "amd64", source="openssl@3.0"),
    Package(PackageKind.PYPI, "Pretty_Name", "1.0", license="MIT OR Apache-2.0"),
    Package(PackageKind.PYPI, "pretty-name", "1.0", license="MIT"),
    Package(PackageKind.NPM, "@scope/pkg", "2.0", license="a licence of theirs"),
)
CONTENTS = ImageContents(
    ImagePackages(PACKAGES, Distribution("debian", "13"), ("var/lib/rpm/Packages: rpm's database is not read",)),
    datetime(2026, 5, 4, 12, tzinfo=UTC),
    "linux/arm64/v8",
)
VALIDATOR = JsonStrictValidator(SchemaVersion.V1_6)


@pytest.mark.parametrize(
    "contents", [CONTENTS, replace(CONTENTS, packages=ImagePackages(), platform="")], ids=["packages", "none"]
)
def test_it_is_valid_by_the_schema_and_the_same_each_time(contents):
    made = sbom(IMAGE, DIGEST, contents, "0.2.0")
    assert VALIDATOR.validate_str(made.decode()) is None
    assert made == sbom(IMAGE, DIGEST, contents, "0.2.0")


def test_it_is_of_the_image_by_its_digest_when_that_was_built():
    made = json.loads(sbom(f"{IMAGE}@{DIGEST}", DIGEST, CONTENTS))
    subject = made["metadata"]["component"]
    assert (subject["type"], subject["name"], subject["version"]) == ("container", IMAGE, DIGEST)
    hex_digest = DIGEST.removeprefix("sha256:")
    assert subject["purl"] == f"pkg:oci/web@sha256:{hex_digest}?arch=arm64&repository_url={IMAGE}"
    assert subject["hashes"] == [{"alg": "SHA-256", "content": hex_digest}]
    assert made["metadata"]["timestamp"] == "2026-05-04T12:00:00+00:00"


def test_another_image_has_another_serial_number():
    numbers = {json.loads(sbom(IMAGE, one, CONTENTS))["serialNumber"] for one in (DIGEST, digest("b"), DIGEST)}
    assert len(numbers) == 2


@pytest.mark.parametrize(
    ("package", "url"),
    [
        *zip(
            PACKAGES,
            [
                "pkg:deb/debian/libssl3@1:3.0%2Bb1?arch=amd64&distro=debian-13&upstream=openssl%403.0",
                "pkg:pypi/pretty-name@1.0",
                "pkg:pypi/pretty-name@1.0",
                "pkg:npm/%40scope/pkg@2.0",
            ],
            strict=True,
        )
    ],
)
def test_each_package_has_its_package_url(package, url):
    assert package_url(package, CONTENTS.packages.distribution).to_string() == url


def test_a_package_of_no_known_distribution_is_of_its_packages_first_one():
    package = Package(PackageKind.APK, "musl", "1")
    assert package_url(package, Distribution()).to_string() == "pkg:apk/alpine/musl@1"


def test_it_is_read_back_as_a_list_and_what_is_not_listed_is_said():
    packages, unread = read_sbom(sbom(IMAGE, DIGEST, CONTENTS), DIGEST)
    assert set(packages) >= {
        ListedPackage("deb", "libssl3", "1:3.0+b1"),
        ListedPackage("npm", "@scope/pkg", "2.0", "a licence of theirs"),
    }
    assert len(packages) == 3  # two spellings of one name are one package
    assert unread == CONTENTS.packages.unread


WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)
ANY = st.builds(Package, st.sampled_from(PackageKind), WORDS, WORDS, WORDS, st.text(max_size=50), WORDS)


@settings(max_examples=50)
@given(st.lists(ANY, max_size=5))
def test_whatever_packages_are_called_the_document_is_valid(packages):
    contents = replace(CONTENTS, packages=ImagePackages(tuple(packages)))
    assert VALIDATOR.validate_str(sbom(IMAGE, DIGEST, contents).decode()) is None
