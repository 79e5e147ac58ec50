"""What a registry says of an image: its platforms and layers."""

from collections.abc import Mapping

from blocks.errors import RegistryFailed
from blocks.http.content import read_json
from blocks.registry.client import RegistryClient
from flows.core.registry.references import split_host, split_reference
from flows.core.release.release import Image, Layer


def describe_image(client: RegistryClient, reference: str, built: bool) -> Image:
    """Platforms and layers of an image; nothing for one in a registry that is not ours to ask.

    Raises:
        RegistryFailed: what the registry says of it is no manifest.
    """
    try:
        return _described(client, reference, built)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        what = f"{client.host}: what it says of {reference} is not as described ({type(error).__name__})"
        raise RegistryFailed(f"registry {what}. Push it again") from None


def _described(client: RegistryClient, reference: str, built: bool) -> Image:
    repository, digest = split_reference(reference)
    host, path = split_host(repository)
    if host != client.host:
        return Image(built=built)
    manifest = client.manifest(path, digest).content
    if "manifests" in manifest:
        entries = [entry for entry in manifest["manifests"] if entry.get("platform", {}).get("os") != "unknown"]
        platforms = tuple(_platform(entry["platform"]) for entry in entries if entry.get("platform"))
        manifest = client.manifest(path, entries[0]["digest"]).content if entries else manifest
    else:
        platforms = (_platform(read_json(client.blob(path, manifest["config"]["digest"]))),)
    layers = tuple(Layer(digest=layer["digest"], size=layer["size"]) for layer in manifest.get("layers", ()))
    return Image(platforms=platforms, layers=layers, built=built)


def _platform(spec: Mapping[str, str]) -> str:
    return "/".join(part for part in (spec.get("os", "linux"), spec.get("architecture"), spec.get("variant")) if part)
