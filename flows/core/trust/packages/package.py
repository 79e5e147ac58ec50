"""A package of an image, and the distribution that the image is of."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

# Names and versions of every package manager fit; anything longer, or with spaces and controls, is none.
_WORD = re.compile(r"[!-~]{1,214}")


class PackageKind(StrEnum):
    """Who manages a package, as package URLs name it."""

    DEB = "deb"
    APK = "apk"
    PYPI = "pypi"
    NPM = "npm"


@dataclass(frozen=True, order=True)
class Package:
    """A package: its kind, name and version, and what else its database says of it.

    Args:
        source: the source package that it was built from, where that has another name or version.
    """

    kind: PackageKind
    name: str
    version: str
    architecture: str = ""
    license: str = ""
    source: str = ""

    @property
    def is_well_named(self) -> bool:
        """Whether name and version are such as a package manager gives."""
        words = (self.name, self.version, *filter(None, (self.architecture, self.source)))
        return all(_WORD.fullmatch(word) for word in words)


@dataclass(frozen=True)
class Distribution:
    """The distribution of an image: its identifier and version as os-release has them ('' when it says none)."""

    id: str = ""
    version: str = ""
    name: str = ""


@dataclass(frozen=True)
class ImagePackages:
    """The packages of an image. `unread` says in sentences what is there and was not read."""

    packages: tuple[Package, ...] = ()
    distribution: Distribution = Distribution()
    unread: tuple[str, ...] = ()


def package_counts(kinds: Sequence[str]) -> dict[str, int]:
    """Kind → number of packages, the most frequent first."""
    return dict(sorted(Counter(kinds).items(), key=lambda one: (-one[1], one[0])))
