"""Lists what a release ships, in the run's log and as a table; what must not be published is refused."""

from collections.abc import Collection, Mapping

from prefect.logging import get_run_logger

from flows.core.release.shipment import Shipment
from flows.settings import Settings
from flows.tasks.release.files.looking import find_shipment, refuse_credentials
from flows.tasks.release.files.walk import SAID
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.declaration import task
from flows.tasks.runs.retries import ONCE
from flows.tasks.stack.source import Source


@task(name="list files", task_run_name="list the files that ship", **ONCE)
def list_files(source: Source, held: Mapping[str, bytes], settings: Settings) -> Shipment:
    """List all files of the source that the release brings. Nothing is read before it is known to be within limits.

    Args:
        held: what the environment block holds: path from the compose file's directory → content.

    Raises:
        ReleaseTooLarge, CredentialFound, LinkLeadsOut, UnreadableFile, BrokenStack
    """
    shipment, suspects = find_shipment(source.sources, held, settings)
    refuse_credentials(suspects)
    _tell(shipment, source)
    return shipment


def _tell(shipment: Shipment, source: Source) -> None:
    log = get_run_logger()
    if not shipment.tree and not shipment.left_out:
        return
    for sentence in shipment.sentences():
        log.info("✓ %s", sentence)
    for why, sentence in shipment.omissions().items():
        if why in SAID:
            log.info("✓ %s", sentence)
        else:
            log.warning("%s", sentence)
    for path, services in source.sources.writers.items():
        if len(services) > 1:
            log.warning("%s is written by %s: each sees what the others write",
                        source.sources.relative(path), _and(services))  # fmt: skip
    table(f"files-{source.stack.name}", shipment.rows(), "What ships with the release, and what does not")


def _and(words: Collection[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
