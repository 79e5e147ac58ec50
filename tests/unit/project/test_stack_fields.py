"""docs/STACK.md has every field of the Compose schema, and every difference that the judge allows; and no others."""

import pytest

from flows.core import errors
from tests import CHECKOUT
from tests.support.generated.fields import ELSEWHERE, FIELDS
from tests.support.judge.allowed import ALLOWED, REFUSED, SECTION, is_left_out
from tests.support.stack.schema import PAGE, SCHEMA, VERDICTS, Schema, rows_on_the_page, stacks_of_the_tests

pytestmark = pytest.mark.unit
JUDGE = CHECKOUT / "tests/support/judge"
needs_schema = pytest.mark.skipif(not SCHEMA.exists(), reason=f"{SCHEMA} is not here")


@pytest.fixture(scope="module")
def schema() -> Schema:
    return Schema.read()


@needs_schema
def test_every_field_of_the_schema_is_on_the_page_once(schema: Schema) -> None:
    listed = [row.field for row in rows_on_the_page()]
    assert sorted(listed) == sorted(schema.fields())
    assert len(listed) > 300


@needs_schema
def test_a_field_is_marked_where_no_stack_of_the_tests_has_it(schema: Schema) -> None:
    used: set[str] = set()
    for document in stacks_of_the_tests():
        used |= schema.used(document)
    rows = rows_on_the_page()
    assert [row.field for row in rows if row.played and row.field not in used] == []
    assert [row.field for row in rows if not row.played and row.field in used] == []


def test_every_field_has_a_verdict_and_what_is_no_plain_same_says_why() -> None:
    rows = rows_on_the_page()
    assert {row.verdict for row in rows} == set(VERDICTS)
    assert [row.field for row in rows if row.verdict != "same" and not row.note] == []


@needs_schema
def test_every_field_of_a_service_is_drawn_or_it_is_said_why_not(schema: Schema) -> None:
    of_a_service = {field.split(".")[1] for field in schema.fields() if field.startswith("services.")}
    assert of_a_service == FIELDS.keys() | ELSEWHERE.keys()
    assert not FIELDS.keys() & ELSEWHERE.keys()


def test_the_differences_on_the_page_are_those_that_the_judge_allows() -> None:
    section = PAGE.read_text().partition(f"\n{SECTION}\n")[2].partition("\n## ")[0]
    rows = [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in section.splitlines()
            if line.startswith("| ")][2:]  # fmt: skip
    assert rows == [(row.what, row.how) for row in ALLOWED]
    assert len(rows) > 20


def test_each_difference_is_left_out_refused_or_held_otherwise_by_the_judge():
    assert all(row.fields or row.error or row.by for row in ALLOWED)
    assert {row.by for row in ALLOWED if not (JUDGE / (row.by or "allowed.py")).is_file()} == set()
    assert {row.error for row in ALLOWED if row.error and f"`{row.error}`" not in row.how} == set()
    assert {error for error in REFUSED if not hasattr(errors, error)} == set()


@pytest.mark.parametrize("field", ["Config/Image", "Config/Labels/dev.slipway.files", "Id", "State/Pid"])
def test_what_may_differ_is_not_compared(field: str) -> None:
    assert is_left_out(field)


@pytest.mark.parametrize(
    "field",
    [
        "Image",
        "Config/Env/PATH",
        "Path",
        "Config/Labels/com.docker.compose.service",
        "HostConfig/Memory",
        "Mounts/x/Mode",
        "State/ExitCode",
        "Config/Env/MyPath",
    ],
)
def test_everything_else_is_compared(field: str) -> None:
    assert not is_left_out(field)
