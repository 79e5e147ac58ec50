"""provenance: what an image is, who built it from what, what is in it, and since when it runs here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prefect.logging import get_run_logger

from blocks import ContainerRegistry
from blocks.errors import OutsideError
from flows.core.droplet.containers import Container
from flows.core.droplet.running import read_running, running_script
from flows.core.errors import BlockMissing, NothingKnown, SlipwayError
from flows.core.registry.references import is_digest, is_tag, split_host, split_reference
from flows.core.trust.origin import ImageOrigin, RunningImage, image_origin
from flows.settings import Settings
from flows.tasks.droplet.connection import QUICK
from flows.tasks.droplet.target import Target
from flows.tasks.records.history import load_history
from flows.tasks.release.fetch import read_published
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.blocks import block_cache, load_droplet, load_registry, load_trusted_keys
from flows.tasks.runs.declaration import flow
from flows.tasks.stack.project import stack_name
from flows.tasks.stack.run_names import run_name
from flows.tasks.trust.attestation import PROVENANCE, SBOM, read_attestations

_SHORTEST_ID = 6


@dataclass(frozen=True)
class _Found:
    """One container on a droplet: `repository@sha256:…` of what it runs, and the release it belongs to."""

    droplet: str
    container: Container
    references: tuple[str, ...]
    tag: str

    def is_called(self, what: str) -> bool:
        return what == self.container.name or (len(what) >= _SHORTEST_ID and self.container.id.startswith(what))


@flow(name="provenance", flow_run_name=run_name("look where {what} is from"))
def provenance(what: str, stack: str | None = None, droplets: list[str] | None = None) -> list[ImageOrigin]:
    """Say what an image is, who built it from what, what is in it, and where it runs. Nothing is changed.

    Args:
        what: a container's name or the beginning of its id, `sha256:…` of an image, `repository@sha256:…`, or the tag
            of a release: then each of its images.
        stack: the stack's name, or its compose file; default: the setting `stack`.
        droplets: names of Droplet blocks that are looked at; default: both colours and the data home, those saved.

    Raises:
        NothingKnown: no droplet runs it, and no release has it.
    """
    settings = Settings()
    name = stack_name(stack or settings.stack)
    with block_cache():
        registry = load_registry(settings)
        running = list(_running(droplets or settings.shown, name, settings, asked=bool(droplets)))
        wanted = _wanted(what, name, running, registry)
        keys = load_trusted_keys(settings)
        found = []
        for reference in wanted:
            repository, digest = split_reference(reference)
            by, said = "", dict[str, bytes]()
            if keys and split_host(repository)[0] == registry.host:
                by, said = read_attestations(reference, keys, registry, settings)
            here = [_place(one) for one in running if any(digest == split_reference(r)[1] for r in one.references)]
            verified = f"attested with {by}, which is trusted" if by else ""
            found.append(image_origin(repository, digest, verified, said.get(PROVENANCE), said.get(SBOM), here))
    table(f"provenance-{name}", [_row(one) for one in found], f"Where {what} is from")
    return found


def _running(droplets: Sequence[str], stack: str, settings: Settings, *, asked: bool) -> Iterator[_Found]:
    for droplet in droplets:
        try:
            target = Target.of(load_droplet(droplet), settings.name_on(droplet, stack), settings)
            with target.connected() as session:
                record = load_history(session, target.directory).deployed()
                now = read_running(session.run(running_script(target.stack), timeout=QUICK).out)
        except (OutsideError, SlipwayError) as error:
            if asked:
                raise
            if not isinstance(error, BlockMissing):
                get_run_logger().warning("%s is not looked at: %s", droplet, error)
            continue
        for container in now.containers:
            yield _Found(droplet, container, now.digests.get(container.image_id, ()), record.tag if record else "")


def _wanted(what: str, stack: str, running: Sequence[_Found], registry: ContainerRegistry) -> list[str]:
    """`repository@sha256:…` of each image that is meant."""
    digest = split_reference(what)[1] if "@" in what else what
    if is_digest(digest):
        if "@" in what:
            return [what]
        known = [r for one in running for r in one.references if split_reference(r)[1] == digest]
        if known:
            return known[:1]
        raise NothingKnown(f"no droplet runs {digest}. Name its repository too: slipway provenance REPOSITORY@{digest}")
    called = [one for one in running if one.is_called(what)]
    if references := list(dict.fromkeys(r for one in called for r in one.references)):
        return references[:1] if len(called) == 1 else references
    if called:
        raise NothingKnown(
            f"{what} on {called[0].droplet} runs an image that no registry knows: the engine has no digest of it. It "
            "was not put there by Slipway"
        )
    if not is_tag(what):
        raise NothingKnown(f"{what[:100]!r} is no container that runs here, no digest and no tag of a release")
    return sorted(read_published(stack, what, registry).release.images)


def _place(one: _Found) -> RunningImage:
    since = one.container.started.isoformat() if one.container.started else ""
    return RunningImage(one.droplet, one.container.service, one.tag, since)


def _row(one: ImageOrigin) -> dict[str, object]:
    built = one.provenance
    return {
        "image": one.image,
        "digest": one.digest,
        "commit": built.source.commit if built else "",
        "built by": built.run.by if built else "",
        "run": built.run.url if built else "",
        "packages": len(one.packages) if one.packages is not None else "",
        "runs on": ", ".join(sorted({place.droplet for place in one.running})),
        "verified": one.verified,
    }
