"""A droplet's directory as version 0.1 wrote it is read without a change to it."""

import json
import subprocess
from pathlib import Path

import pytest

from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.lock import holder_script, read_holder
from flows.core.droplet.sections import section_script, sections
from flows.core.records.history import History
from flows.core.records.lifecycle import open_record
from flows.core.records.record import RecordOutcome, Run
from flows.core.records.retention import why_kept
from flows.core.records.rollback_target import rollback_target
from flows.core.records.storage import history_sections, read_records
from flows.core.release.release import Release, read_release
from tests import CHECKOUT

pytestmark = pytest.mark.unit

DIRECTORY = CHECKOUT / "tests/support/droplets/version_0_1"
STACK = StackDirectory(str(DIRECTORY), "shop")


def sh(script: str) -> str:
    return subprocess.run(["sh", "-c", script], capture_output=True, check=True, text=True).stdout


@pytest.fixture
def history() -> History:
    return read_records(sections(sh(section_script(history_sections(STACK)))), "shop")


def release(tag: str) -> Release:
    (file,) = DIRECTORY.glob(f"shop/releases/{tag}.*/release.json")
    return read_release(file.read_bytes())


def test_every_record_is_read(history):
    assert [(r.number, r.kind, r.tag, r.outcome.value) for r in history.records] == [
        (1, "deploy", "v1", "good"),
        (2, "deploy", "v2", "rolled back"),
        (3, "rollback", "v1", "good"),
        (4, "deploy", "v2", "failed"),
        (5, "deploy", "v3", "candidate"),
    ]
    assert history.damaged == ()
    assert history.current == "v3.3333333333333333"
    assert history.records[3].reason.startswith("interrupted: ")
    assert history.records[2].leaves == 2


def test_records_are_written_back_with_all_that_they_said(history):
    for record in history.records:
        written = json.loads((Path(STACK.history) / record.file).read_bytes())
        again = json.loads(record.document())
        assert {key: again[key] for key in written} == written


def test_what_follows_from_them_is_the_same(history):
    assert history.last_known_good() is not None
    assert rollback_target(history, None).tag == "v1"
    assert set(why_kept(history, 1)) == {"v1.1111111111111111", "v3.3333333333333333"}


def test_the_candidate_is_superseded_by_the_next_release(history):
    new, left = open_record(
        history, release("v2"), "v2.2222222222222222", kind="deploy", environment="e3", run=Run(), now="2026-11-27"
    )
    assert new.number == 6
    assert [(old.number, old.outcome) for old in left] == [(5, RecordOutcome.SUPERSEDED)]


@pytest.mark.parametrize("tag", ["v1", "v2", "v3"])
def test_its_release_documents_are_read_and_mean_the_same(tag):
    found = release(tag)
    assert found.tag == tag
    assert found.home == ("store",)
    assert found.waits == {"api": ("store",)}
    assert found.unsaid == ("cache: /data",)
    (written,) = DIRECTORY.glob(f"shop/releases/{tag}.*/release.json")
    # What was added since says nothing about it.
    added = {"compose_needs": {}, "rules": {}, "secret_copies": []}
    assert json.loads(found.document()) == {**json.loads(written.read_bytes()), **added}


def test_the_holder_of_its_lock_is_named():
    assert sh(holder_script(str(DIRECTORY))) == ""  # its process is gone, so nobody holds it now
    pid, line = (DIRECTORY / "lock.holder").read_text().split(" ", 1)
    holder = read_holder(line)
    assert (pid, holder.by, holder.purpose) == ("4711", "deployer@host", "deploy of shop v3")
