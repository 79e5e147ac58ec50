"""What a registry says of an image: its platforms and layers."""

import json
from collections.abc import Mapping

from blocks.registry.client import RegistryClient
from flows.core.registry.references import split_host, split_reference
from flows.core.release.release import Image, Layer


def describe_image(client: RegistryClient, reference: str, built: bool) -> Image:
    """Platforms and layers of an image; nothing for one in a registry that is not ours to ask."""
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
        platforms = (_platform(json.loads(client.blob(path, manifest["config"]["digest"]))),)
    layers = tuple(Layer(digest=layer["digest"], size=layer["size"]) for layer in manifest.get("layers", ()))
    return Image(platforms=platforms, layers=layers, built=built)


def _platform(spec: Mapping[str, str]) -> str:
    return "/".join(part for part in (spec.get("os", "linux"), spec.get("architecture"), spec.get("variant")) if part)
