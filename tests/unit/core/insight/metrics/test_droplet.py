"""What a droplet is asked for its metrics, answered by a shell in a directory."""

import os
import subprocess

import pytest

from flows.core.droplet.directories import StackDirectory
from flows.core.errors import ForeignRecord, UnreadableAnswer
from flows.core.insight.metrics.droplet import DropletLook, metrics_script, read_metrics_look
from tests.support.builders import record, release

pytestmark = pytest.mark.unit


@pytest.fixture
def directory(tmp_path):
    return StackDirectory(str(tmp_path / "slip way"), "shop")


def asked(directory: StackDirectory) -> DropletLook:
    done = subprocess.run(
        ["sh", "-c", metrics_script(directory)], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stderr == ""
    return read_metrics_look(done.stdout, "shop")


def put(directory: StackDirectory, stack: str = "shop") -> None:
    at = f"{directory.path}/releases/v1.0"
    os.makedirs(at)
    os.makedirs(directory.history)
    os.symlink("releases/v1.0", directory.current)
    with open(f"{at}/release.json", "wb") as file:
        file.write(release(commit="abc").document())
    with open(f"{directory.history}/000001.json", "wb") as file:
        file.write(record(1, "v1").model_copy(update={"stack": stack}).document())


def test_it_tells_records_release_and_whether_somebody_changes_it(directory):
    put(directory)
    found = asked(directory)
    assert (found.release.tag, found.release.commit, found.locked, found.asleep) == ("v1", "abc", False, False)
    assert [one.tag for one in found.history.records] == ["v1"]


def test_where_nothing_was_ever_put_there_are_no_records(directory):
    found = asked(directory)
    assert (found.history.records, found.release) == ((), None)


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_not_taken_for_nothing(directory):
    put(directory)
    os.chmod(directory.history, 0)
    assert asked(directory).history is None


def test_what_is_closed_or_cut_off_is_not_taken_for_nothing():
    assert read_metrics_look("", "shop").history is None
    assert read_metrics_look("\n@@slipway:closed\nclosed\n@@slipway:history\n", "shop").history is None


def test_a_release_that_cannot_be_read_is_none_and_records_of_others_are_refused(directory):
    put(directory, stack="other")
    with pytest.raises(ForeignRecord):
        asked(directory)
    with pytest.raises(UnreadableAnswer):
        read_metrics_look("\n@@slipway:history\nnot packed", "shop")
    assert read_metrics_look("\n@@slipway:release\n{\n@@slipway:history\n", "shop").release is None
