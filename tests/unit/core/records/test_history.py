"""How a history is read, and what it says of a droplet."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.errors import ForeignRecord, NewerRecord
from flows.core.records.history import History, read_history
from flows.core.records.record import FORMAT
from tests.support.builders import FAILED, record

pytestmark = pytest.mark.unit


def test_records_are_ordered_by_number_and_not_by_their_clocks():
    early = record(1, "v1", began="2026-05-04T13:00:00+00:00")
    late = record(2, "v2", began="2026-05-04T12:00:00+00:00")
    files = [(r.file, r.document().decode()) for r in (late, early)]
    found = read_history(files, {"v1.0", "v2.0"}, "v2.0", "shop")
    assert found.records == (early, late)
    assert found.last_known_good() == late


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"number": "x"}', "null", "\x00\xff"])
def test_a_damaged_record_is_left_out_and_its_number_is_not_given_again(text):
    one = record(1, "v1")
    found = read_history([(one.file, one.document().decode()), ("000002.json", text)], {"v1.0"}, "v1.0", "shop")
    assert (found.records, found.damaged, found.next_number) == ((one,), ("000002.json",), 3)
    assert found.last_known_good() == one


def test_a_record_of_another_stack_is_refused():
    text = record(1, "v1").document().decode()
    with pytest.raises(ForeignRecord, match="belongs to stack shop, not to till"):
        read_history([("000001.json", text)], (), "", "till")


@pytest.mark.parametrize("fields", [{}, {"outcome": "something new"}, {"number": None}])
def test_a_record_of_a_newer_format_is_refused(fields):
    newer = {**json.loads(record(1, "v1").document()), "format": FORMAT + 1, **fields}
    with pytest.raises(NewerRecord, match=f"is of format {FORMAT + 1}"):
        read_history([("000001.json", json.dumps(newer))], (), "", "shop")


# As the version before format 2 wrote it, field by field.
OLD = """{"format": 1, "number": 2, "stack": "shop", "kind": "deploy", "tag": "v2", "name": "v2.0", "commit": null,
"environment": "e1", "previous": "v1.0", "previous_tag": "v1", "leaves": null,
"run": {"id": "7", "name": "a run", "url": "", "by": "me@here"}, "began": "2026-05-04T12:00:00+00:00",
"deployed": "2026-05-04T12:01:00+00:00", "ended": "2026-05-04T12:02:00+00:00", "outcome": "failed",
"reason": "interrupted: deploy 3 of v3 came after it"}"""


def test_a_record_of_the_version_before_is_read_as_it_stands():
    (old,) = read_history([("000002.json", OLD)], {"v2.0"}, "v2.0", "shop").records
    assert (old.outcome, old.reason) == (FAILED, "interrupted: deploy 3 of v3 came after it")
    assert (old.traced, old.format) == ((), 1)
    assert {**json.loads(old.document()), "traced": None} == {**json.loads(OLD), "traced": None}


@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=80))))
def test_whatever_stands_in_the_directory_is_a_record_or_damaged(files):
    found = read_history(files, (), "", "shop")
    assert len(found.records) + len(found.damaged) == len(files)


def test_an_empty_history_has_nothing():
    empty = History()
    assert (empty.newest, empty.unfinished, empty.last_known_good(), empty.deployed()) == (None,) * 4
    assert empty.next_number == 1
