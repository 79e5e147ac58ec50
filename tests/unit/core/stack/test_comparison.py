"""Two readings of one stack, field by field."""

import pytest

from flows.core.stack.comparison import differences

pytestmark = pytest.mark.unit

HERE = {"services": {"web": {"environment": {"A": "1", "B": "2"}, "ports": [80, 81]}}}


def test_equal_readings_have_no_difference():
    assert differences(HERE, {"services": {"web": {"ports": [80, 81], "environment": {"B": "2", "A": "1"}}}}) == []


def test_every_field_that_differs_is_named():
    there = {"services": {"web": {"environment": {"A": "x"}, "ports": [80, 82]}}, "name": "s"}
    assert [str(one) for one in differences(HERE, there)] == [
        "name: 'nothing' here, 's' there",
        "services.web.environment.A: '1' here, 'x' there",
        "services.web.environment.B: '2' here, 'nothing' there",
        "services.web.ports[1]: '81' here, '82' there",
    ]


def test_two_versions_may_write_out_other_defaults():
    there = {"services": {"web": {"environment": {"A": "x", "C": "3"}}}}
    assert [one.field for one in differences(HERE, there, same_version=False)] == ["services.web.environment.A"]
