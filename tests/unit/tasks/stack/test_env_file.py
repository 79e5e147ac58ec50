"""An env file is read as Compose reads it, whatever its values hold."""

from pathlib import Path

import pytest

from flows.settings import Settings
from flows.tasks.stack.env_file import read_env_file
from flows.tasks.stack.reading import ComposeReader
from tests.support.stack.compose_client import needs_compose

pytestmark = pytest.mark.unit

VALUES = {
    "a line break first": "\nfirst",
    "two first, two last": "\n\nboth\n\n",
    "spaces and a line break": "  a\n b",
    "looks like a number": "1234e56",
    "looks like YAML": "yes",
    "a dollar": "a$b $$HOME",
    "signs": "<a> & \u2028 é \x7f",
    "empty": "",
}


@needs_compose
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_value_arrives_as_it_is(value: str, tmp_path: Path):
    file = tmp_path / "one.env"
    file.write_text(f"NAME='{value}'\nOTHER=x\n", newline="")
    assert read_env_file(file, Settings()) == {"NAME": value, "OTHER": "x"}


@needs_compose
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_text_with_a_variable_holds_its_value(value: str):
    reader = ComposeReader(Settings(), {"NAME": value})
    assert reader.interpolate(["${NAME}", "a ${NAME}"]) == [value, f"a {value}"]
