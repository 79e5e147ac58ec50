"""The packages of an image, read from its databases."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from flows.core.quotation import quoted_line, without_controls
from flows.core.trust.packages.databases import read_apk, read_dpkg, read_node, read_os_release, read_python_metadata
from flows.core.trust.packages.package import Distribution, ImagePackages, Package

_OS_RELEASE = ("usr/lib/os-release", "etc/os-release")
_MOST, _MOST_NOTES = 50_000, 20


def read_packages(files: Mapping[str, bytes]) -> ImagePackages:
    """Read package databases: path from the image's root → content. What cannot be read is left out, and said."""
    found: set[Package] = set()
    unread = []
    for path, content in files.items():
        packages, shown = list(_packages_in(path, content)), without_controls(quoted_line(path))
        found.update(package for package in packages if package.is_well_named)
        if "/rpm/" in path:
            unread.append(f"{shown}: rpm's database is not read")
        elif not all(package.is_well_named for package in packages):
            unread.append(f"{shown}: names or versions in it are none that a package manager gives")
    if len(found) > _MOST:
        unread.append(f"{len(found) - _MOST:,} packages more than the {_MOST:,} that are listed")
    return ImagePackages(tuple(sorted(found)[:_MOST]), _distribution(files), tuple(unread[-_MOST_NOTES:]))


def _packages_in(path: str, content: bytes) -> Iterable[Package]:
    for ending, read in _READERS.items():
        if path.endswith(ending):
            return read(path, content)
    if "/dpkg/status.d/" in f"/{path}" and not path.endswith(".md5sums"):
        return read_dpkg(content, distroless=True)
    return ()


def _one(package: Package | None) -> Iterator[Package]:
    if package:
        yield package


_READERS: Mapping[str, Callable[[str, bytes], Iterable[Package]]] = {
    "var/lib/dpkg/status": lambda _, content: read_dpkg(content),
    "lib/apk/db/installed": lambda _, content: read_apk(content),
    "/package.json": lambda _, content: _one(read_node(content)),
    "/METADATA": lambda path, content: _one(read_python_metadata(path, content)),
    "/PKG-INFO": lambda path, content: _one(read_python_metadata(path, content)),
    ".egg-info": lambda path, content: _one(read_python_metadata(path, content)),
}


def _distribution(files: Mapping[str, bytes]) -> Distribution:
    contents = [files[path] for path in _OS_RELEASE if path in files]
    return read_os_release(contents[0]) if contents else Distribution()
