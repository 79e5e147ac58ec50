"""Reads package databases: dpkg, apk, Python's metadata, node's package.json, and os-release.

Sources: deb-control(5); the apk-tools wiki on `installed`; Python's core metadata specification; npm's package.json;
os-release(5). What cannot be read is left out: an image may hold anything under these names.
"""

import json
import re
import shlex
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from flows.core.answers import MALFORMED
from flows.core.trust.packages.package import Distribution, Package, PackageKind

_INSTALLED = "installed"
_ENDINGS = (".dist-info", ".egg-info")
_EGG_PYTHON = re.compile(r"-py\d[\d.]*$")
_LICENSE = "License :: "
_LONGEST_LICENSE = 200


def read_dpkg(content: bytes, *, distroless: bool = False) -> Iterator[Package]:
    """The installed packages of a dpkg status file.

    Args:
        distroless: a file of status.d, whose packages have no status: it is there because they are.
    """
    fields = ("Package", "Status", "Version", "Architecture", "Source")
    for found in _paragraphs(content, fields):
        if distroless or found.get("Status", "").rpartition(" ")[2] == _INSTALLED:
            name, version = found.get("Package", ""), found.get("Version", "")
            source = re.sub(r"^(\S+) \((\S+)\)$", r"\1@\2", found.get("Source", ""))
            yield Package(PackageKind.DEB, name, version, found.get("Architecture", ""), source=source)


def read_apk(content: bytes) -> Iterator[Package]:
    """The packages of an apk database."""
    for found in _paragraphs(content, "PVALo"):
        name, source = found.get("P", ""), found.get("o", "")
        yield Package(
            PackageKind.APK,
            name,
            found.get("V", ""),
            found.get("A", ""),
            _license(found.get("L", "")),
            source if source != name else "",
        )


def read_python_metadata(path: str, content: bytes) -> Package | None:
    """The package of a Python metadata file; where it does not say its name and version, its directory does."""
    found: dict[str, str] = {}
    licenses = []
    for key, value in _headers(content):
        if key == "classifier" and value.startswith(_LICENSE):
            licenses.append(value.rpartition(" :: ")[2])
        found.setdefault(key, value)
    stems = [part.removesuffix(end) for part in path.split("/") for end in _ENDINGS if part.endswith(end)]
    name, _, version = _EGG_PYTHON.sub("", stems[-1]).partition("-") if stems else ("", "", "")
    said = found.get("license-expression") or found.get("license", "")
    if not said or said.upper() == "UNKNOWN" or len(said) > _LONGEST_LICENSE:  # some put its whole text there
        said = " AND ".join(licenses) if len(licenses) == 1 else ", ".join(licenses)
    name, version = found.get("name") or name, found.get("version") or version
    return Package(PackageKind.PYPI, name, version, license=_license(said)) if name and version else None


def read_node(content: bytes) -> Package | None:
    """The package of a package.json below node_modules; None for one without a name and a version."""
    try:
        said = json.loads(content)
        name, version, license_ = said.get("name"), said.get("version"), _node_license(said)
    except MALFORMED:
        return None
    if not isinstance(name, str) or not isinstance(version, str):
        return None
    return Package(PackageKind.NPM, name, version, license=_license(license_))


def read_os_release(content: bytes) -> Distribution:
    """The distribution, by os-release."""
    found: dict[str, str] = {}
    for line in content.decode(errors="replace").splitlines():
        key, separator, value = line.strip().partition("=")
        if separator and key in ("ID", "VERSION_ID", "PRETTY_NAME"):
            try:
                found[key] = " ".join(shlex.split(value))[:_LONGEST_LICENSE]
            except ValueError:
                continue
    words = [re.sub(r"[^a-z0-9._-]", "", found.get(key, "").lower()) for key in ("ID", "VERSION_ID")]
    return Distribution(words[0], words[1], found.get("PRETTY_NAME", ""))


def _paragraphs(content: bytes, wanted: Collection[str]) -> Iterator[dict[str, str]]:
    """The wanted fields of each paragraph; of a field that goes on below, its first line."""
    found: dict[str, str] = {}
    for line in content.decode(errors="replace").split("\n"):
        key, separator, value = line.partition(":")
        if not line.strip():
            if found:
                yield found
            found = {}
        elif separator and key in wanted:
            found[key] = value.strip()
    if found:
        yield found


def _headers(content: bytes) -> Iterator[tuple[str, str]]:
    """The headers of a metadata file, up to the empty line that ends them."""
    for line in content.decode(errors="replace").splitlines():
        if not line.strip():
            return
        key, separator, value = line.partition(":")
        if separator and key == key.strip():
            yield key.lower(), value.strip()


def _node_license(said: Mapping[str, Any]) -> str:
    """npm's `license`; in old files an object, or a list of them called `licenses`."""
    given = said.get("license") or said.get("licenses") or ""
    entries = given if isinstance(given, list) else [given]
    names = [entry.get("type") if isinstance(entry, Mapping) else entry for entry in entries]
    return ", ".join(name for name in names if isinstance(name, str))


def _license(said: str) -> str:
    """A licence as one short line; '' for one that says nothing."""
    line = " ".join("".join(char if char.isprintable() else " " for char in said[: 2 * _LONGEST_LICENSE]).split())
    return "" if line.upper() in ("UNKNOWN", "NONE") or len(line) > _LONGEST_LICENSE else line
