"""What we write for a person on this host appears whole, where nobody else can lead or exchange it."""

import os
import stat
from pathlib import Path

import pytest

from flows.core.errors import DirectoryNotOurs
from flows.tasks.runs import reports
from flows.tasks.runs.reports import write_report

pytestmark = pytest.mark.unit


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_private_is_its_owners_alone_and_so_is_a_new_directory(tmp_path):
    place = tmp_path / "reports"
    assert write_report(place, "bundle", b"content", private=True).read_bytes() == b"content"
    assert (mode(place), mode(place / "bundle")) == (0o700, 0o600)
    before = os.umask(0o027)
    try:
        write_report(place, "report.md", "words")
    finally:
        os.umask(before)
    assert mode(place / "report.md") == 0o640
    assert sorted(os.listdir(place)) == ["bundle", "report.md"]


def test_a_link_in_a_reports_place_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "elsewhere").write_text("theirs")
    (tmp_path / "report.md").symlink_to(tmp_path / "elsewhere")
    write_report(tmp_path, "report.md", "ours")
    assert (tmp_path / "elsewhere").read_text() == "theirs"
    assert not (tmp_path / "report.md").is_symlink()


def test_a_directory_that_everybody_may_write_to_is_refused_unless_each_owns_his_own(tmp_path):
    tmp_path.chmod(0o777)
    with pytest.raises(DirectoryNotOurs, match="can be written by everybody"):
        write_report(tmp_path, "report.md", "words")
    assert os.listdir(tmp_path) == []
    tmp_path.chmod(0o1777)
    assert write_report(tmp_path, "report.md", "words").exists()


def test_a_directory_of_another_user_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(reports.os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    if tmp_path.stat().st_uid == 0:
        os.chown(tmp_path, 65534, -1)
    with pytest.raises(DirectoryNotOurs, match="belongs to another user"):
        write_report(tmp_path, "report.md", "words")
