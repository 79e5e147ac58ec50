"""Packages of a real image: those that its own package managers list, and none that a layer above took away.

The image is the engine's, its layers are read from a registry in this process.
"""

import json
import tarfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from flows.core.trust.origin import read_sbom
from flows.core.trust.packages.image import ImageContents
from flows.core.trust.packages.package import PackageKind
from flows.core.trust.sbom import sbom
from flows.tasks.trust.image_packages import image_contents
from flows.tasks.trust.layer_cache import LayerCache
from tests.support.files.image_layers import push_image
from tests.support.lab.lab import LAB, LABELS, docker
from tests.support.registry_server import serving

pytestmark = pytest.mark.lab

BASE = f"{LAB}-langfuse"  # Debian's packages, and Python's
GONE = "sed"  # of dpkg
_DOCKERFILE = f"""FROM {BASE}
USER root
RUN dpkg --force-all --purge {GONE} >/dev/null 2>&1 && ! dpkg-query -W -f '${{db:Status-Abbrev}}' {GONE} 2>/dev/null
RUN python3 -c "import importlib.metadata as m, shutil; shutil.rmtree(next(iter(m.distributions()))._path)"
"""
_DISTRIBUTIONS = (
    "import importlib.metadata as m; print(*(f'{d.name} {d.version}' for d in m.distributions()), sep='\\n')"
)


@dataclass(frozen=True)
class ReadImage:
    """An image of the engine, and what was read of it from its layers."""

    name: str
    contents: ImageContents

    def says(self, *argv: str) -> set[str]:
        """The lines that a command in it prints."""
        return set(docker("run", "--rm", "--network=none", "--entrypoint", argv[0], self.name, *argv[1:]).splitlines())

    def packages(self, kind: PackageKind) -> set[str]:
        return {f"{one.name} {one.version}" for one in self.contents.packages.packages if one.kind is kind}


def layers_of(image: str, directory: Path) -> list[bytes]:
    """The layers of an image of the engine, unpacked."""
    docker("save", "--output", str(directory / "image.tar"), image)
    with tarfile.open(directory / "image.tar") as tar:
        manifest = json.load(tar.extractfile("manifest.json"))
        return [tar.extractfile(name).read() for name in manifest[0]["Layers"]]


def read(image: str, directory: Path) -> ReadImage:
    with serving("none") as registry, registry.client() as client:
        reference = f"{registry.host}/team/web@{push_image(registry, layers_of(image, directory))}"
        return ReadImage(image, image_contents([reference], client, LayerCache(None))[reference])


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> ReadImage:
    return read(BASE, tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def stripped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadImage]:
    """The same image with a package less of each kind, in layers above."""
    place, name = tmp_path_factory.mktemp("stripped"), f"slipway-test-packages:{uuid.uuid4().hex[:12]}"
    (place / "Dockerfile").write_text(_DOCKERFILE)
    labels = [word for label in LABELS for word in ("--label", label)]
    docker("build", "--quiet", *labels, "--tag", name, str(place))
    try:
        yield read(name, place)
    finally:
        docker("rmi", "--force", name)


@pytest.mark.parametrize("which", ["base", "stripped"])
def test_the_packages_are_those_that_the_image_itself_lists(which: str, request: pytest.FixtureRequest) -> None:
    image: ReadImage = request.getfixturevalue(which)
    listed = image.says("dpkg-query", "-W", "-f", "${db:Status-Status} ${Package} ${Version}\n")
    assert image.packages(PackageKind.DEB) == {
        line.removeprefix("installed ") for line in listed if line.startswith("installed ")
    }
    python = image.says("python3", "-c", _DISTRIBUTIONS)
    found = image.packages(PackageKind.PYPI)
    assert len(found) > 5
    assert python <= found  # a copy inside another package is in the image, and no Python says so
    assert image.contents.packages.distribution.id == "debian"
    assert image.contents.packages.unread == ()


def test_what_a_layer_above_removed_is_not_in_it(base: ReadImage, stripped: ReadImage) -> None:
    for kind in (PackageKind.DEB, PackageKind.PYPI):
        assert len(base.packages(kind) - stripped.packages(kind)) == 1
        assert stripped.packages(kind) < base.packages(kind)
    assert any(
        line.startswith(f"{GONE} ") for line in base.packages(PackageKind.DEB) - stripped.packages(PackageKind.DEB)
    )


def test_the_sbom_lists_them_all(base: ReadImage) -> None:
    digest = f"sha256:{'a' * 64}"
    packages, _ = read_sbom(sbom("registry.example.com/shop/web", digest, base.contents), digest)
    assert len(packages) == len(base.contents.packages.packages)
