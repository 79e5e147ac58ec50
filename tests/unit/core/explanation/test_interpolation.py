"""Which variables a text uses, as Compose interpolates it."""

import pytest

from flows.core.explanation.interpolation import VariableUse, passed_on, uses_in, variable_uses

pytestmark = pytest.mark.unit

TEXTS = {
    "nothing": [],
    "$A and ${B}": [("A", ""), ("B", "")],
    "${A:-x}${B-y}": [("A", ":-"), ("B", "-")],
    "${A:?why}${B?}": [("A", ":?"), ("B", "?")],
    "${A:+x}${B+}": [("A", ":+"), ("B", "+")],
    "${A:-${B:-${C}}}": [("A", ":-"), ("B", ":-"), ("C", "")],
    "$$A $${B} $$$C": [("C", "")],
    "$1 ${} $": [],
    "a$A-$B_C/x": [("A", ""), ("B_C", "")],
}


@pytest.mark.parametrize("text", TEXTS)
def test_every_use_is_found_with_what_follows_the_name(text):
    assert list(variable_uses(text)) == [VariableUse(*use) for use in TEXTS[text]]


def test_uses_are_found_in_keys_and_values_however_deep():
    value = {"environment": {"K_${A}": "$B"}, "ports": ["${C}:80", 8080, None]}
    assert [use.name for use in uses_in(value)] == ["A", "B", "C"]


def test_a_default_and_an_empty_value_are_told_by_the_operator():
    found = {use.name: (use.has_default, use.takes_empty) for use in variable_uses("${A:-x}${B-x}${C:?}$D")}
    assert found == {"A": (True, False), "B": (True, True), "C": (False, False), "D": (False, True)}


def test_variables_that_are_passed_on_have_no_value():
    assert list(passed_on({"environment": {"A": None, "B": "", "C": "$D"}})) == ["A"]
    assert list(passed_on({"environment": ["A", "B=", "C=1"]})) == ["A"]
    assert list(passed_on({})) == []
