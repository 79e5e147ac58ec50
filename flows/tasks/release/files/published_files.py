"""The files of a published release: its layers are read from the registry when they are needed, one at a time."""

import hashlib
import tempfile
from collections.abc import Collection, Iterator, Mapping

from blocks import ContainerRegistry
from flows.core.errors import BadRelease
from flows.core.release import bundle
from flows.core.release.archive import read_archive
from flows.core.release.bundle import File, ReleaseFiles
from flows.core.release.tree import Entry, read_tree


class PublishedFiles(ReleaseFiles):
    """All files of a published release. Those that are mounted are never all held in memory.

    Args:
        own: what the first layer holds: document, override, compose files, list of files.
        layers: digest and size of each layer with the contents of all others.

    Raises:
        BadRelease: its list of files is damaged, or speaks of a layer that it has not.
    """

    def __init__(
        self,
        own: Mapping[str, File],
        layers: tuple[tuple[str, int], ...],
        repository: str,
        registry: ContainerRegistry,
    ) -> None:
        super().__init__(own, read_tree(own[bundle.TREE].content) if bundle.TREE in own else {})
        self._layers, self._repository, self._registry = layers, repository, registry
        if any(entry.kind == "file" and entry.layer >= len(layers) for entry in self.tree.values()):
            raise BadRelease(f"{repository} lacks a layer that its list of files names. Build and push this tag again")

    def contents(self, wanted: Collection[str]) -> Iterator[tuple[str, Entry, Iterator[bytes]]]:
        with self._registry.client(write=False) as client:
            for number in sorted({self.tree[name].layer for name in wanted}):
                names = {name for name in wanted if self.tree[name].layer == number}
                with tempfile.TemporaryFile(prefix="slipway-layer-") as file:
                    client.download(self._repository, *self._layers[number], file)
                    file.seek(0)
                    for name, content in read_archive(file):
                        if name in names:
                            names.remove(name)
                            yield name, self.tree[name], self._as_listed(name, content())
                if names:
                    raise BadRelease(f"{self._repository}: {min(names)} is in none of its layers. Publish it again")

    def _as_listed(self, name: str, content: Iterator[bytes]) -> Iterator[bytes]:
        """The content of a file, which must be what the list of files says: no more of it is handed on."""
        entry, digest, left = self.tree[name], hashlib.sha256(), self.tree[name].size
        for piece in content:
            left -= len(piece)
            digest.update(piece)
            if left < 0:
                break
            yield piece
        if left or digest.hexdigest() != entry.digest:
            raise BadRelease(f"{self._repository}: {name} is not what its list of files says. Publish it again")
