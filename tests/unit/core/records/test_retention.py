"""Which releases a droplet keeps, case by case."""

import pytest
from pydantic import ValidationError

from flows.core.errors import BadRetention
from flows.core.records.history import History
from flows.core.records.record import Record, RecordOutcome
from flows.core.records.retention import is_release, kept_names, why_kept
from flows.settings import Settings

pytestmark = pytest.mark.unit

OUTCOMES = {
    "g": RecordOutcome.GOOD,
    "f": RecordOutcome.FAILED,
    "c": RecordOutcome.CANDIDATE,
    "r": RecordOutcome.ROLLED_BACK,
    "s": RecordOutcome.SUPERSEDED,
}


def history(words: str, current: str = "", gone: str = "", more: str = "", damaged: tuple[str, ...] = ()) -> History:
    """`1g 2f`: release 1 was good, then release 2 failed. `gone` do not stand there, `more` do without a record."""
    records = tuple(
        Record(number=number, stack="shop", tag=name, name=name, outcome=OUTCOMES[outcome])
        for number, (name, outcome) in enumerate(words.split(), 1)
    )
    standing = ({record.name for record in records} | set(more)) - set(gone)
    return History(records, frozenset(standing), current, damaged, len(records))


CASES = {
    "nothing was ever released": (history(""), 5, ""),
    "fewer good ones than may stay": (history("1g 2g", "2"), 5, "12"),
    "more good ones than may stay": (history("1g 2g 3g 4g", "4"), 2, "34"),
    "the one that runs is an old one": (history("1g 2g 3g 4g", "1"), 2, "134"),
    "a release that came twice counts once, by its newest record": (history("1g 2g 3g 1g", "1"), 2, "13"),
    "many failed after the last good one": (history("1g 2f 3f 4f 5f 6f", "6"), 1, "16"),
    "the newest is a candidate": (history("1g 2g 3c", "3"), 1, "23"),
    "the candidate does not run yet": (history("1g 2g 3c", "2"), 1, "23"),
    "a candidate that was passed over is none": (history("1g 2c 3f", "3"), 1, "13"),
    "one was superseded": (history("1g 2s 3c", "3"), 1, "13"),
    "a good one was deployed again and superseded": (history("1g 2g 1s 3c", "3"), 5, "123"),
    "a superseded one still runs, because what came after it wrote nothing": (history("1g 2s", "2"), 1, "12"),
    "one was rolled back from": (history("1g 2g 2r 1g", "1"), 5, "1"),
    "the newest good one's files are gone": (history("1g 2g 3g", "3", gone="3"), 1, "23"),
    "none was good, so a release without a record may have been": (history("2f", "2", more="1"), 5, "12"),
    "one was good, so a release without a record is none": (history("2g", "2", more="1"), 5, "2"),
    "a record cannot be read": (history("1f 2g", "2", more="3", damaged=("000003.json",)), 1, "123"),
}


@pytest.mark.parametrize(("found", "keep", "names"), CASES.values(), ids=CASES)
def test_releases_stay_when(found, keep, names):
    assert kept_names(found, keep) == frozenset(names)


def test_each_that_stays_has_its_reason():
    reasons = why_kept(history("1g 2g 3f 4c", "3"), 5)
    assert reasons == {"1": "good", "2": "good", "3": "the current one", "4": "the candidate"}
    damaged = why_kept(history("1f", more="2", damaged=("000002.json",)), 5)
    assert damaged == dict.fromkeys("12", "000002.json cannot be read, so it may be a good one")


@pytest.mark.parametrize("keep", [0, -1])
def test_fewer_than_one_is_refused(keep):
    with pytest.raises(BadRetention, match=f"{keep} good releases were to be kept.*Nothing was changed.*--keep N"):
        kept_names(history("1g"), keep)


@pytest.mark.parametrize("keep", ["0", "-1", "many"])
def test_a_setting_of_fewer_than_one_is_refused_by_name(keep, monkeypatch):
    monkeypatch.setenv("SLIPWAY_RETENTION", keep)
    with pytest.raises(ValidationError, match="retention"):
        Settings()


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("v1.4.0.0123456789abcdef", True),
        ("3f2a1c0.0123456789abcdef", True),
        ("v1", False),
        ("backup", False),
        ("v1.0123456789ABCDEF", False),
        ("v1.0123456789abcdef~", False),
        (".0123456789abcdef", False),
        ("..0123456789abcdef", False),
        ("", False),
    ],
)
def test_a_release_directory_is_known_by_its_name(name, ours):
    assert is_release(name) is ours
