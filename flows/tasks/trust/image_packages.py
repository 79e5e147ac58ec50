"""Reads which packages are in images, from their layers in the registry.

There an image is what its digest says, wherever it was built, and of an image that shares its layers with others only
those that nobody read before are fetched: after a change of one line, some kilobytes. (`docker save` sends all layers
of an image each time, and from a build host elsewhere, uncompressed.)
"""

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from prefect.logging import get_run_logger

from blocks import ContainerRegistry
from blocks.http.content import read_json
from blocks.registry.client import RegistryClient
from flows.core.registry.references import split_host, split_reference
from flows.core.trust.packages.image import ImageContents, ImageParts, chosen_manifest, configured, image_parts
from flows.core.trust.packages.layer import LayerDatabases, databases_in, read_layer
from flows.core.trust.packages.reading import read_packages
from flows.tasks.runs.declaration import task
from flows.tasks.runs.retries import RETRIED
from flows.tasks.trust.layer_cache import LayerCache, layer_cache

_SIDE_BY_SIDE, _LAYERS_AT_ONCE = 8, 3


@task(name="read packages", task_run_name="read the packages of the images", **RETRIED)
def read_image_packages(references: Sequence[str], registry: ContainerRegistry) -> dict[str, ImageContents]:
    """Return reference → contents, of images of our registry by digest (`repository@sha256:…`).

    Raises:
        UnreadableAnswer: what the registry has there is no image that can be read; and what its client raises.
    """
    cache = layer_cache()
    with registry.client() as client:
        found = image_contents(references, client, cache)
    cache.tidy()
    count = len({package for contents in found.values() for package in contents.packages.packages})
    get_run_logger().info("%d packages in %d images", count, len(found))
    return found


def image_contents(references: Sequence[str], client: RegistryClient, cache: LayerCache) -> dict[str, ImageContents]:
    """Return reference → contents. Each layer is fetched once, and not at all where the cache has it.

    Raises:
        UnreadableAnswer: what the registry has there is no image that can be read; and what its client raises.
    """
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        parts = dict(zip(references, pool.map(lambda one: _parts(client, one), references), strict=True))
        configs = pool.map(lambda one: configured(read_json(client.blob(_path(one), parts[one].config))), references)
        built = dict(zip(references, configs, strict=True))
    # Of the largest first: the others are read beside it.
    wanted = {digest: (size, _path(one)) for one, image in parts.items() for digest, size in image.layers}
    order = sorted(wanted, key=lambda digest: -wanted[digest][0])
    with ThreadPoolExecutor(_LAYERS_AT_ONCE) as pool:
        read = pool.map(lambda digest: _layer(client, digest, *wanted[digest], cache), order)
        layers = dict(zip(order, read, strict=True))
    return {
        reference: ImageContents(
            read_packages(databases_in(layers[digest] for digest, _ in image.layers)), *built[reference]
        )
        for reference, image in parts.items()
    }


def _parts(client: RegistryClient, reference: str) -> ImageParts:
    digest = split_reference(reference)[1]
    content = client.manifest(_path(reference), digest).content
    if (chosen := chosen_manifest(content)) is not None:
        content = client.manifest(_path(reference), chosen).content
    return image_parts(content)


def _layer(client: RegistryClient, digest: str, size: int, path: str, cache: LayerCache) -> LayerDatabases:
    if (kept := cache.get(digest)) is not None:
        return kept
    with tempfile.TemporaryFile() as file:
        client.download(path, digest, size, file)  # which checks the digest: what is read is what the image says
        file.seek(0)
        layer = read_layer(file)
    cache.put(digest, layer)
    return layer


def _path(reference: str) -> str:
    return split_host(split_reference(reference)[0])[1]
