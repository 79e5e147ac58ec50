"""What somebody who may push to the registry could do: let the tag of a release mean one that runs another image.

Usage: swap_image.py STACK TAG; prints the digest that the tag meant. With that digest as third word it is put back.
"""

import json
import sys

from blocks import ContainerRegistry
from flows.core.registry.references import split_host, split_reference
from flows.core.release import bundle
from flows.tasks.runs.blocks import layout


def main(stack: str, tag: str, before: str = "") -> None:
    """Exchange what two services run, and publish that under the tag; or put back what the tag meant."""
    registry = ContainerRegistry.load("registry")
    repository, name = split_reference(layout(registry).release_reference(stack, tag))
    path = split_host(repository)[1]
    with registry.client() as client:
        if before:
            client.tag(path, client.manifest(path, before), name)
            return
        manifest = client.manifest(path, name)
        layers = manifest.content["layers"]
        own = bundle.unpack(client.blob(path, layers[0]["digest"]))
        document = json.loads(own[bundle.DOCUMENT].content)
        built = [s for s, image in document["services"].items() if document["images"][image]["built"]]
        one, other = built[:2]
        services = document["services"]
        services[one], services[other] = services[other], services[one]
        own = {**own, bundle.DOCUMENT: bundle.File(json.dumps(document).encode())}
        client.push_files(path, name, bundle.pack(own), layers[0]["digest"], {})
        print(manifest.digest)
        print(f"In the registry, release {tag} says now that {one} runs the image of {other}.", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
