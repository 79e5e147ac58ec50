"""A release record: what it holds, as it is written."""

import pytest

from flows.core.records.record import Record, Run
from tests.support.builders import FAILED, record

pytestmark = pytest.mark.unit


def test_a_record_survives_being_written_and_can_be_read_by_a_person():
    one = record(7, "v1", FAILED, run=Run(id="1", by="me@here"), reason="it was", previous="v0.0", leaves=3)
    assert Record.model_validate_json(one.document()) == one
    assert (one.file, one.document().count(b"\n") > 10) == ("000007.json", True)
