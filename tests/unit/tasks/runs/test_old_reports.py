"""Old reports go at the end of a run that wrote there: only ours, no link, never a good release's."""

import json
import os
import time
from pathlib import Path

import pytest

from flows.core.errors import DirectoryNotOurs
from flows.settings import Settings
from flows.tasks.runs import declaration, reports
from flows.tasks.runs.reports import (
    GOOD_RELEASES,
    note_good_release,
    remove_old_reports,
    write_report,
)

pytestmark = pytest.mark.unit
DAY = 86400


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    place = tmp_path / "reports"
    monkeypatch.setenv("SLIPWAY_REPORTS", str(place))
    monkeypatch.setenv("SLIPWAY_KEEP_REPORTS", "2")
    return place


def bundle(place: Path, number: int, age: float = 0) -> Path:
    file = write_report(place, f"debug-shop-green-20260504T120000.{number:03}Z.tar.gz", b"archive", private=True)
    return aged(file, age)


def metadata(place: Path, tag: str, age: float = 0) -> Path:
    said = json.dumps({"stack": "shop", "tag": tag})
    return aged(write_report(place, f"push-docr-metadata-shop-{tag}.json", said), age)


def aged(file: Path, days: float) -> Path:
    at = time.time() - days * DAY
    os.utime(file, (at, at), follow_symlinks=False)
    return file


def test_a_run_that_writes_there_leaves_so_many_and_one_that_does_not_removes_nothing(place):
    files = [bundle(place, number, age) for number, age in enumerate((3, 2, 1))]

    @declaration.flow(name="writes")
    def writes() -> None:
        inner.fn()
        assert all(file.exists() for file in files)  # it is not the inner one's end that counts

    @declaration.flow(name="inner")
    def inner() -> None:
        bundle(place, 9)

    @declaration.flow(name="writes nothing")
    def writes_nothing() -> None: ...

    writes_nothing.fn()
    assert all(file.exists() for file in files)
    writes.fn()
    assert [file.exists() for file in files] == [False, False, True]


def test_a_run_that_fails_tidies_too_and_its_error_is_its_own(place, monkeypatch):
    files = [bundle(place, number, age) for number, age in enumerate((3, 2, 1))]

    @declaration.flow(name="fails")
    def fails() -> None:
        bundle(place, 9)
        raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        fails.fn()
    assert not files[0].exists()

    def broken(_settings):
        raise PermissionError("no")

    monkeypatch.setattr(reports, "remove_old_reports", broken)
    with pytest.raises(ValueError, match="its own"):
        fails.fn()


def test_links_directories_and_files_of_others_are_left_whatever_they_are_called(place):
    for number, age in enumerate((9, 8, 7)):
        bundle(place, number, age)
    elsewhere = place.parent / "precious"
    elsewhere.write_text("theirs")
    link = place / "debug-shop-green-20250101T000000.000Z.tar.gz"
    link.symlink_to(elsewhere)
    directory = place / "debug-shop-green-20250101T000000.001Z.tar.gz"
    directory.mkdir()
    pipe = place / "push-docr-metadata-shop-pipe.json"
    os.mkfifo(pipe)
    (place / "notes.txt").write_text("mine")
    for one in (link, directory, pipe, place / "notes.txt"):
        aged(one, 400)
    gone = remove_old_reports(Settings())
    assert [one.name for one in gone] == ["debug-shop-green-20260504T120000.000Z.tar.gz"]
    assert link.is_symlink()
    assert (elsewhere.read_text(), directory.is_dir(), pipe.exists()) == ("theirs", True, True)


def test_the_metadata_of_the_last_good_release_of_each_droplet_stays(place):
    files = {
        tag: metadata(place, tag, age) for tag, age in (("v1", 200), ("v2", 150), ("v3", 120), ("v4", 1), ("v5", 0))
    }
    assert remove_old_reports(Settings()) == []  # nobody knows which one is good
    note_good_release(Settings(), {"shop"}, "green", "v1")
    note_good_release(Settings(), {"shop"}, "blue", "v2")
    assert json.loads((place / GOOD_RELEASES).read_text()) == {"shop": {"green": "v1", "blue": "v2"}}
    assert [one.name for one in remove_old_reports(Settings(), dry_run=True)] == [files["v3"].name]
    assert files["v3"].exists()
    remove_old_reports(Settings())
    assert [tag for tag, file in files.items() if file.exists()] == ["v1", "v2", "v4", "v5"]


def test_what_is_noted_of_good_releases_and_cannot_be_read_counts_as_nothing_known(place):
    old = metadata(place, "v1", 200)
    metadata(place, "v2")
    for text in ("{", "[]", '{"shop": 3}', '{"shop": {"green": []}, "x": null}', "[" * 100_000):
        (place / GOOD_RELEASES).write_text(text)
        remove_old_reports(Settings())
        assert old.exists()
    note_good_release(Settings(), {"shop"}, "green", "v2")
    assert json.loads((place / GOOD_RELEASES).read_text())["shop"] == {"green": "v2"}


def test_nothing_is_noted_or_removed_where_there_are_no_reports_or_where_others_may_write(place):
    note_good_release(Settings(), {"shop"}, "green", "v1")
    assert remove_old_reports(Settings()) == []
    assert not place.exists()
    for number, age in enumerate((9, 8, 7)):
        bundle(place, number, age)
    place.chmod(0o777)
    with pytest.raises(DirectoryNotOurs):
        remove_old_reports(Settings())
    assert len(os.listdir(place)) == 3


@pytest.mark.parametrize(
    "said", ['[worker]\ndocker = "/never/run"\n', "nonsense = 1\n", "[destinations.a]\n[destinations.b]\n"]
)
def test_a_run_counts_whatever_the_checkouts_settings_say_at_its_end(tmp_path, monkeypatch, said):
    monkeypatch.chdir(tmp_path)
    stack = tmp_path / "stack"
    stack.mkdir()
    (stack / "compose.yaml").write_text("services: {}\n")

    @declaration.flow(name="writes")
    def writes(stack: str) -> str:
        write_report(tmp_path / "reports", "one.txt", stack)
        (tmp_path / "stack/slipway.toml").write_text(said)
        return "done"

    assert writes.fn(str(stack)) == "done"
