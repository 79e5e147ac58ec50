"""The bytes a droplet pulls after a one-line change, as the registry's access log counts them."""

import re
from dataclasses import dataclass

from benchmarks import plain
from benchmarks.bench import Bench
from benchmarks.lab import NAME
from benchmarks.measure import Section, times
from benchmarks.slipway import command, in_process
from flows.deploy import deploy

TARGET = 1.0
_REQUEST = re.compile(
    r'"GET /v2/(?P<repository>\S+)/(?P<kind>blobs|manifests)/(?P<what>\S+) HTTP/[\d.]+" (?P<code>20[06]) (?P<size>\d+) '
    r'"[^"]*" "(?P<agent>[^"]*)"'
)


@dataclass(frozen=True)
class Served:
    """One answer of the registry that carried content to an engine."""

    kind: str
    what: str
    size: int


def measure(bench: Bench) -> list[Section]:
    """One table: what was pulled, by kind, beside the sizes in the release."""
    bench.start_over()
    directory = str(bench.ours.directory)
    bench.tell("bytes: a release, then a one-line change")
    command("release", "--stack", directory)
    before = plain.prepare(bench.ours.tag()).release
    tag = bench.ours.change_one_service()
    command("build-push", "--stack", directory)
    after = plain.prepare(tag).release
    known = {layer.digest for image in before.images.values() for layer in image.layers}
    fresh = {
        layer.digest: layer.size
        for image in after.images.values()
        for layer in image.layers
        if layer.digest not in known
    }
    seen = len(bench.lab.access_log())
    in_process(lambda: deploy(tag, NAME, NAME))
    served = pulled(bench.lab.access_log()[seen:])

    layers = sum(answer.size for answer in served if answer.kind == "blobs" and answer.what in fresh)
    again = sum(answer.size for answer in served if answer.kind == "blobs" and answer.what in known)
    configs = sum(answer.size for answer in served if answer.kind == "blobs") - layers - again
    manifests = sum(answer.size for answer in served if answer.kind == "manifests")
    changed = [name for name, ref in after.services.items() if before.services[name] != ref]
    section = Section(
        "Bytes that the droplet pulls after a one-line change",
        ("what", "pulled", "in the release", "ratio", "target", ""),
    )
    size = sum(fresh.values())
    share = (layers + again) / size
    section.add(f"layers that changed ({', '.join(changed)})", _bytes(layers), _bytes(size))
    section.add("layers that the droplet had before", _bytes(again), _bytes(0))
    met = "met" if layers + again == size else "not met"
    section.add(
        "layers in all", _bytes(layers + again), _bytes(size), times(share), f"= {times(TARGET)}", met, strong=True
    )
    section.add("image configuration", _bytes(configs), "")
    section.add("manifests", _bytes(manifests), "")
    section.notes.append(
        f"{len(fresh)} of {len(fresh) + len(known)} layers are new in this release. "
        "Counted in the registry's access log: what it sent to a Docker engine."
    )
    return [section]


def pulled(log: list[str]) -> list[Served]:
    """What the registry sent to engines; what it told the flows themselves is left out."""
    matches = filter(None, map(_REQUEST.search, log))
    return [Served(m["kind"], m["what"], int(m["size"])) for m in matches if m["agent"].startswith("docker/")]


def _bytes(count: int) -> str:
    return f"{count:,} B"
