"""The table of attacks says what became of each, by the tests that play them."""

import json

import pytest

from tests.attack_report import listed, of_test, write

pytestmark = pytest.mark.unit

RAN = [("tests/a.py::test_x[1]", "passed"), ("tests/a.py::test_x[2]", "failed"), ("tests/b.py::test_y", "passed")]


def test_every_row_of_the_page_is_an_attack_with_its_test():
    assert len(listed()) > 35
    assert all(file.startswith("tests/") for _, _, file, _ in listed())


@pytest.mark.parametrize(("file", "name", "outcome"), [
    ("tests/a.py", "test_x", "failed"), ("tests/a.py", "", "failed"), ("tests/b.py", "test_y", "passed"),
    ("tests/b.py", "test", ""), ("tests/c.py", "", ""),
])  # fmt: skip
def test_the_worst_outcome_of_a_tests_cases_counts(file, name, outcome):
    assert of_test(RAN, file, name) == outcome


def test_what_was_not_run_this_time_keeps_what_was_known(tmp_path):
    _, _, file, name = listed()[0]
    _, _, other, its = next(row for row in listed() if row[3] and row[2] != file)
    write([(f"{file}::{name}", "passed")], tmp_path)
    write([(f"{other}::{its}[a]", "failed")], tmp_path)
    known = json.loads((tmp_path / "attacks.json").read_text())
    assert (known[f"{file}:{name}"], known[f"{other}:{its}"]) == ("passed", "failed")
    text = (tmp_path / "attacks.md").read_text()
    assert text.count("| passed |") == text.count("| failed |") == 1
