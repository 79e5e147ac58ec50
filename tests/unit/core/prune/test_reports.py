"""Which reports go: by count and age; never the newest, never a good release's, never what is not ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.prune.reports import (
    ReportFile,
    ReportKind,
    expired_reports,
    metadata_name,
    report_kind,
    with_good,
)

pytestmark = pytest.mark.unit
NOW, DAY = 1_800_000_000.0, 86400.0
KEPT = {"keep": 3, "days": 30.0, "now": NOW}


def bundle(age: float, stack: str = "shop-green") -> ReportFile:
    return ReportFile(
        f"debug-{stack}-20260504T1200{int(age) % 60:02}.{int(age * 7) % 1000:03}Z.tar.gz", NOW - age * DAY
    )


def metadata(tag: str, age: float, stack: str = "shop") -> ReportFile:
    return ReportFile(metadata_name(stack, tag), NOW - age * DAY, stack, tag)


def gone(files, good=None, **more) -> dict[str, str]:
    return {one.name: one.why for one in expired_reports(files, good or {}, **{**KEPT, **more})}


def test_what_is_beyond_the_count_goes_oldest_first():
    files = [bundle(age) for age in range(5)]
    assert gone(files) == {files[3].name: "3 newer ones stay", files[4].name: "3 newer ones stay"}


def test_what_is_too_old_goes_and_the_newest_of_its_kind_does_not():
    files = [bundle(31), bundle(40)]
    assert gone(files) == {files[1].name: "older than 30 days"}


def test_the_metadata_of_the_last_good_release_stays_whatever_its_age():
    files = [metadata(f"v{age}", age) for age in range(40)]
    good = {"shop": {"v39", "v20"}}
    assert {"push-docr-metadata-shop-v39.json", "push-docr-metadata-shop-v20.json"} & set(gone(files, good)) == set()
    assert len(gone(files, good)) == 40 - 3 - 2


def test_metadata_of_a_stack_of_which_nothing_is_known_stays():
    files = [metadata(f"v{age}", age, "other") for age in range(40)]
    assert gone(files, {"shop": {"v1"}, "other": set()}) == {}


def test_metadata_whose_content_says_another_release_is_not_what_its_name_says():
    files = [metadata("v1", 0), *(ReportFile(metadata_name("shop", f"v{age}"), 0.0, "shop", "v9") for age in (2, 3, 4))]
    assert gone(files, {"shop": {"v0"}}) == {}
    assert gone([ReportFile(metadata_name("shop", f"v{age}"), 0.0) for age in range(9)], {"": {"v0"}}) == {}


def test_a_half_written_file_goes_after_a_day():
    files = [ReportFile(".slipway-a1b2c3d_", NOW - age * DAY) for age in (0.5, 2.0)]
    assert gone(files[:1]) == {}
    assert gone(files[1:]) == {".slipway-a1b2c3d_": "a run ended while it wrote it"}


@pytest.mark.parametrize("name", [
    "push-docr-metadata.json", "rehearsal.md", "rehearsal.json", "stability.html", "good-releases.json",
    "debug-notes.txt",
    "debug-shop.tar.gz", "my-debug-shop-20260504T120000.000Z.tar.gz", "debug-shop-20260504T120000.000Z.tar.gz.bak",
    ".slipway-", ".slipway-abcdefgh.json", "push-docr-metadata-.json", "../push-docr-metadata-a.json", "",
])  # fmt: skip
def test_what_we_did_not_write_in_numbers_is_no_business_of_ours(name):
    assert report_kind(name) is None


def test_each_droplet_has_one_last_good_release():
    known = with_good(with_good({}, "shop", "green", "v1"), "shop", "blue", "v2")
    assert with_good(known, "shop", "green", "v3") == {"shop": {"green": "v3", "blue": "v2"}}


AGES = st.floats(0, 400)
TAGS = st.sampled_from(["v1", "v2", "v3", "1.0-rc1"])
FILES = st.lists(
    st.builds(bundle, AGES) | st.builds(metadata, TAGS, AGES, st.sampled_from(["shop", "shop-eu"]))
    | st.builds(ReportFile, st.text(max_size=30), AGES.map(lambda age: NOW - age * DAY)),
    unique_by=lambda file: file.name,
)  # fmt: skip


@given(
    FILES, st.integers(1, 5), st.floats(1, 100), st.dictionaries(st.sampled_from(["shop", "shop-eu"]), st.sets(TAGS))
)
def test_whatever_is_there_only_what_may_go_goes_and_a_second_time_nothing(files, keep, days, good):
    known = {file.name: file for file in files}
    found = expired_reports(files, good, keep=keep, days=days, now=NOW)
    left = [file for file in files if file.name not in {one.name for one in found}]
    for one in found:
        file = known[one.name]
        assert report_kind(file.name) is one.kind
        assert one.kind is not ReportKind.METADATA or (good.get(file.stack) and file.tag not in good[file.stack])
    for kind in ReportKind:
        ours = [file for file in files if report_kind(file.name) is kind]
        stay = [file for file in left if report_kind(file.name) is kind]
        assert bool(stay) == bool(ours) or kind is ReportKind.UNFINISHED
        assert not ours or max(file.written for file in stay) == max(file.written for file in ours)
        if kind is ReportKind.BUNDLE:
            assert len(stay) <= keep
    assert expired_reports(left, good, keep=keep, days=days, now=NOW) == []
