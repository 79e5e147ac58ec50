"""Reads a droplet's history, and finds what a kept release is made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from prefect.logging import get_run_logger

from blocks.errors import OutsideError
from blocks.ssh.shell import RemoteShell
from flows.core.droplet.containers import Container, read_containers
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.running import kept_release_script, read_resolved
from flows.core.droplet.sections import section_script, sections
from flows.core.errors import BadRelease, NoRollbackTarget, SlipwayError
from flows.core.records.history import History
from flows.core.records.lifecycle import close_record
from flows.core.records.record import Record, RecordOutcome
from flows.core.records.storage import history_sections, read_records, records_tar, write_records
from flows.core.release.release import Release, read_release
from flows.core.stack.stack import Stack
from flows.core.steps import Step
from flows.core.trust.policy import document_hash
from flows.tasks.droplet.connection import QUICK
from flows.tasks.droplet.deployed_secrets import register_environment_secrets
from flows.tasks.droplet.lock import LockedSession
from flows.tasks.droplet.target import Target
from flows.tasks.runs.declaration import task
from flows.tasks.runs.log_masking import register_stack_secrets
from flows.tasks.runs.retries import RETRIED
from flows.tasks.runs.run_info import now


def load_history(session: RemoteShell, directory: StackDirectory) -> History:
    """What was deployed to the droplet before.

    Raises:
        ForeignRecord, NewerRecord
    """
    answer = session.run(section_script(history_sections(directory)), timeout=QUICK)
    return read_records(sections(answer.out), directory.stack)


@task(name=Step.KEEP_RECORD.value, task_run_name="keep the record of {records[0].tag}", **RETRIED)
def keep_record(session: LockedSession, directory: StackDirectory, records: Sequence[Record]) -> None:
    """Write into the droplet's history what became of a release."""
    session.run(write_records(directory), timeout=QUICK, stdin=records_tar(records))


@dataclass(frozen=True)
class KeptRelease:
    """A release that stands on the droplet with the SHA-256 of its document, and what is there beside it."""

    release: Release
    document: str
    stack: Stack
    containers: tuple[Container, ...]
    present: frozenset[str]


@task(name=Step.LOOK_BACK.value, task_run_name="find release {record.tag} there", timeout_seconds=120, **RETRIED)
def find_kept_release(session: LockedSession, directory: StackDirectory, record: Record) -> KeptRelease:
    """Read a kept release from its own directory: neither registry nor environment block is asked.

    Raises:
        NoRollbackTarget: its files are gone or damaged.
        RemoteFailed: the engine does not answer.
    """
    said = sections(session.run(kept_release_script(directory, record.name), timeout=QUICK).out)
    try:
        document = said.get("release", "").encode()
        release = read_release(document)
        if (release.stack, release.tag) != (directory.stack, record.tag):
            raise BadRelease(f"release {release.tag} of stack {release.stack} stands there")
        stack = read_resolved(said["config"])
    except Exception as error:
        raise NoRollbackTarget(
            f"{session.address}: {directory.release(record.name)} with release {record.tag} is damaged: {error}. "
            f"Put it there anew: slipway deploy --tag {record.tag}"
        ) from None
    register_stack_secrets(stack)
    register_environment_secrets(session, directory.release(record.name), release)
    return KeptRelease(
        release,
        document_hash(document),
        stack,
        tuple(read_containers(said.get("containers", ""))),
        frozenset(said.get("digests", "").split()),
    )


def mark_failed(target: Target, reason: str, wait: float) -> None:
    """Let the record of what runs there say that it failed, where the droplet can still be written to."""
    try:
        with target.locked("record", wait) as lock:
            if record := load_history(lock, target.directory).deployed():
                keep_record(lock, target.directory, [close_record(record, RecordOutcome.FAILED, now(), reason)])
    except (SlipwayError, OutsideError) as error:
        get_run_logger().warning("the record on %s does not say so: %s", target.name, error)
