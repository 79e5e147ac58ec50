"""Package databases as the package managers write them, and as nobody should."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.trust.packages.databases import read_node, read_os_release, read_python_metadata
from flows.core.trust.packages.package import Distribution, Package, PackageKind
from flows.core.trust.packages.reading import read_packages

pytestmark = pytest.mark.unit

DPKG = b"""Package: libssl3
Status: install ok installed
Architecture: amd64
Source: openssl (3.0.11-1)
Version: 3.0.11-1~deb12u2
Description: text
 Version: 9 in a line that goes on
 .

Package: removed
Status: deinstall ok config-files
Version: 1.0

Package: bash
Status: install ok installed
Architecture: amd64
Version: 5.2.15-2+b2
Source: bash (5.2.15-2)
"""
APK = b"""C:Q1x
P:musl
V:1.2.5-r0
A:x86_64
L:MIT
o:musl

P:libcrypto3
V:3.3.2-r0
A:x86_64
L:Apache-2.0
o:openssl
F:lib
R:libcrypto.so.3
"""
METADATA = b"""Metadata-Version: 2.4
Name: Pretty_Name
Version: 1.5.0
License-Expression: MIT
Classifier: License :: OSI Approved :: BSD License

Name: not-this
"""


def test_dpkg_lists_what_is_installed_with_its_source():
    found = read_packages({"var/lib/dpkg/status": DPKG})
    assert found.packages == (
        Package(PackageKind.DEB, "bash", "5.2.15-2+b2", "amd64", source="bash@5.2.15-2"),
        Package(PackageKind.DEB, "libssl3", "3.0.11-1~deb12u2", "amd64", source="openssl@3.0.11-1"),
    )
    assert found.unread == ()


def test_distroless_images_have_one_file_a_package():
    files = {
        "var/lib/dpkg/status.d/base": b"Package: base-files\nVersion: 12.4\nArchitecture: amd64\n",
        "var/lib/dpkg/status.d/base.md5sums": b"Package: none\nVersion: 1\n",
    }
    assert [(one.name, one.version) for one in read_packages(files).packages] == [("base-files", "12.4")]


@pytest.mark.parametrize("place", ["lib/apk/db/installed", "usr/lib/apk/db/installed"])
def test_apk_lists_packages_with_their_licence(place):
    assert read_packages({place: APK}).packages == (
        Package(PackageKind.APK, "libcrypto3", "3.3.2-r0", "x86_64", "Apache-2.0", "openssl"),
        Package(PackageKind.APK, "musl", "1.2.5-r0", "x86_64", "MIT"),
    )


@pytest.mark.parametrize(
    ("path", "content", "found"),
    {
        "metadata": ("a/Pretty_Name-1.5.0.dist-info/METADATA", METADATA, ("Pretty_Name", "1.5.0", "MIT")),
        "nothing in it": ("a/b-2.0.dist-info/METADATA", b"", ("b", "2.0", "")),
        "an egg": ("a/PyYAML-6.0-py3.11.egg-info/PKG-INFO", b"Name: PyYAML\nLicense: MIT\n", ("PyYAML", "6.0", "MIT")),
        "an egg as a file": ("dist-packages/six-1.16.0.egg-info", b"\n", ("six", "1.16.0", "")),
        "a classifier": (
            "a/c-1.dist-info/METADATA",
            b"Name: c\nVersion: 1\nLicense: UNKNOWN\nClassifier: License :: OSI Approved :: BSD License\n",
            ("c", "1", "BSD License"),
        ),
        "a licence's whole text": ("a/c-1.dist-info/METADATA", b"License: " + b"long " * 200, ("c", "1", "")),
        "no version": ("a/odd.egg-info", b"Name: odd\n", None),
    }.values(),
)
def test_python_metadata_gives_name_version_and_licence(path, content, found):
    package = read_python_metadata(path, content)
    assert (package and (package.name, package.version, package.license)) == found


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"name": "left-pad", "version": "1.3.0", "license": "MIT"}, ("left-pad", "MIT")),
        ({"name": "@a/b", "version": "1", "license": {"type": "ISC", "url": "x"}}, ("@a/b", "ISC")),
        ({"name": "old", "version": "1", "licenses": [{"type": "MIT"}, {"type": "GPL"}]}, ("old", "MIT, GPL")),
        ({"name": "no-version"}, None),
        ({"name": 1, "version": 2}, None),
        ([], None),
    ],
)
def test_node_packages_are_read_from_package_json(said, found):
    package = read_node(json.dumps(said).encode())
    assert (package and (package.name, package.license)) == found


def test_the_distribution_is_that_of_os_release():
    content = b'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\nBROKEN="\n'
    assert read_os_release(content) == Distribution("debian", "13", "Debian GNU/Linux 13 (trixie)")
    files = {"etc/os-release": b"ID=other\n", "usr/lib/os-release": content}
    assert read_packages(files).distribution.id == "debian"


def test_a_database_that_is_not_read_is_said_and_not_left_out_silently():
    found = read_packages({"var/lib/rpm/rpmdb.sqlite": b"", "x/node_modules/a/package.json": b"{" * 100_000})
    assert found.packages == ()
    assert found.unread == ("var/lib/rpm/rpmdb.sqlite: rpm's database is not read",)


@pytest.mark.parametrize("name", ["a b", "a\x1b[31m", "", "x" * 300, "\udcff", "a\u202eb"])
def test_a_name_that_no_package_manager_gives_is_left_out_and_said(name):
    content = json.dumps({"name": name, "version": "1"}).encode()
    found = read_packages({"x/node_modules/a\udcff/package.json": content})
    assert found.packages == ()
    assert [sentence.isprintable() and "names or versions" in sentence for sentence in found.unread] == [True]


PLACES = [
    "var/lib/dpkg/status", "lib/apk/db/installed", "a-1.dist-info/METADATA", "b.egg-info",
    "n/node_modules/x/package.json", "etc/os-release", "var/lib/dpkg/status.d/x",
]  # fmt: skip
FIELDS = st.sampled_from([b"Package: ", b"Version: ", b"P:", b"V:", b"Name: ", b"ID=", b"\n", b"\r", b'"', b"{", b"["])


@given(st.dictionaries(st.sampled_from(PLACES), st.lists(st.one_of(FIELDS, st.binary(max_size=20))).map(b"".join)))
def test_no_content_is_an_error_and_every_package_has_a_name(files):
    found = read_packages(files)
    assert all(package.is_well_named for package in found.packages)
