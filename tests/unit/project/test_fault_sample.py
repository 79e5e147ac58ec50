"""The sample of faults that `make test` plays, and the lanes that tests run in."""

import re

import pytest

from tests import CHECKOUT
from tests.faults.harness.sample import share_of_one_droplet, share_out
from tests.lanes import FREE, SHARED, lane

pytestmark = pytest.mark.unit

POINTS = range(12)
STRIKES = [
    *(("killed", point, 1) for point in POINTS),
    *(("terminated", point, 1) for point in POINTS[:5]),
    *(("cancelled", point, 4) for point in POINTS),
    ("elsewhere", "a point of its own", 1),
]


def test_every_point_is_struck_once_and_every_fault_is_played():
    chosen = share_out(STRIKES)
    assert sorted(str(point) for _, point in chosen) == sorted({str(point) for _, point, _ in STRIKES})
    assert {test for test, _ in chosen} == {test for test, *_ in STRIKES}


def test_what_costs_more_gets_fewer_points():
    chosen = [test for test, _ in share_out(STRIKES)]
    assert 0 < chosen.count("cancelled") < chosen.count("killed")


def test_a_fault_whose_points_are_all_taken_gets_its_first():
    assert share_out([("a", 1, 1), ("b", 1, 1)]) == {("a", 1), ("b", 1)}


def test_one_droplet_plays_a_sixth_of_what_two_play_too_and_each_test_of_its_own_once():
    both = [(f"test_{number}", True) for number in range(12) for _ in range(4)]
    own = [("test_reboot", False)] * 3
    assert share_of_one_droplet([*both, *own]) == {0, 24, 48}


def test_what_modules_share_puts_them_into_one_lane():
    assert lane("tests/lab/docs/test_digitalocean.py::test_a") == lane("tests/faults/test_cloud.py::test_b[c]")
    assert lane("tests/lab/bad_input/test_record.py::test_a") != lane("tests/lab/bad_input/test_stack.py::test_a")


def test_a_case_that_has_all_it_needs_has_a_lane_of_its_own_and_any_other_module_one_for_its_tests():
    played = "tests/lab/stack/test_differential.py::test_a"
    assert lane(f"{played}[1]") != lane(f"{played}[2]")
    assert lane("tests/faults/test_kills.py::test_a[1]") != lane("tests/faults/test_kills.py::test_a[2]")
    assert lane("tests/unit/test_x.py::test_a") == lane("tests/unit/test_x.py::test_b")


def test_every_place_that_shares_something_exists():
    assert [place for places in SHARED.values() for place in (*places, *FREE) if not (CHECKOUT / place).exists()] == []


def test_modules_that_open_the_same_stack_are_in_one_lane():
    """A stack of a fixed name is one directory on a droplet, one repository and one set of blocks."""
    lanes: dict[str, set[str]] = {}
    for module in sorted((CHECKOUT / "tests/lab").rglob("test_*.py")):
        for opener in set(re.findall(r"\bopen_\w+_stack\b", module.read_text())):
            lanes.setdefault(opener, set()).add(lane(f"{module.relative_to(CHECKOUT)}::test_a"))
    assert len(lanes["open_single_service_stack"]) == 1
    assert {opener: found for opener, found in lanes.items() if len(found) > 1} == {}
