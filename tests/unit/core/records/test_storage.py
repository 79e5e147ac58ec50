"""A droplet's history as files: written whole, read back by the same shell that a droplet has."""

import shutil
import subprocess
from pathlib import Path

import pytest

from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.sections import section_script, sections
from flows.core.records.storage import history_sections, read_records, records_tar, write_records
from tests.support.builders import FAILED, record

pytestmark = pytest.mark.unit


def sh(script: str, stdin: bytes = b"") -> str:
    return subprocess.run(["sh", "-c", script], input=stdin, capture_output=True, check=True).stdout.decode()


def home_in(tmp_path: Path) -> StackDirectory:
    return StackDirectory(str(tmp_path / "it's here"), "shop")


def test_records_are_read_as_they_were_written(tmp_path):
    home, records = home_in(tmp_path), (record(1, "v1"), record(2, "v2", FAILED, reason="a 'quoted'\u2028 \\n word"))
    sh(write_records(home), records_tar(records))
    for name in ("v1.0", "v2.0"):
        Path(home.release(name)).mkdir(parents=True)
    Path(home.current).symlink_to("releases/v2.0")
    found = read_records(sections(sh(section_script(history_sections(home)))), "shop")
    assert (found.records, found.kept, found.current, found.damaged) == (records, {"v1.0", "v2.0"}, "v2.0", ())


def test_where_nothing_packs_records_come_as_they_are(tmp_path):
    home, tools = home_in(tmp_path), tmp_path / "tools"
    sh(write_records(home), records_tar([record(1, "v1")]))
    tools.mkdir()
    for tool in ("tail", "ls", "readlink"):
        (tools / tool).symlink_to(shutil.which(tool))
    script = section_script(history_sections(home))
    said = subprocess.run(["/bin/sh", "-c", script], env={"PATH": str(tools)}, capture_output=True, check=True)
    assert b"==> 000001.json <==" in said.stdout
    assert read_records(sections(said.stdout.decode()), "shop").records == (record(1, "v1"),)


def test_many_records_travel_packed(tmp_path):
    home, records = home_in(tmp_path), tuple(record(number, "v1") for number in range(1, 101))
    sh(write_records(home), records_tar(records))
    said = sh(section_script(history_sections(home)))
    assert len(said) < sum(len(one.document()) for one in records) / 5
    assert read_records(sections(said), "shop").records == records


def test_a_record_is_replaced_and_what_an_ended_write_left_is_gone(tmp_path):
    home = home_in(tmp_path)
    (Path(home.history) / ".new").mkdir(parents=True)
    (Path(home.history) / ".new" / "000009.json").write_text("half")
    for one in (record(1, "v1"), record(1, "v1", FAILED)):
        sh(write_records(home), records_tar([one]))
    assert [path.name for path in Path(home.history).iterdir()] == ["000001.json"]
    found = read_records(sections(sh(section_script(history_sections(home)))), "shop")
    assert [one.outcome for one in found.records] == [FAILED]


def test_records_are_for_their_owner_alone(tmp_path):
    home = home_in(tmp_path)
    sh(write_records(home), records_tar([record(1, "v1")]))
    modes = [oct(path.stat().st_mode & 0o777) for path in (Path(home.history), Path(home.history) / "000001.json")]
    assert modes == ["0o700", "0o600"]


def test_a_droplet_without_a_history_has_none(tmp_path):
    found = read_records(sections(sh(section_script(history_sections(home_in(tmp_path))))), "shop")
    assert (found.records, found.kept, found.current, found.next_number) == ((), frozenset(), "", 1)
