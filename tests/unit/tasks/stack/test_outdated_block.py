"""A run says by name what the environment block lacks of its source, and what is gone there; never a value."""

import logging

import pytest

from blocks import StackEnvironment
from flows.core.errors import UnsetVariables
from flows.settings import Settings
from flows.tasks.stack import environment
from flows.tasks.stack.source import read_stack
from tests.support.stack.compose_client import needs_compose, write_files

pytestmark = [pytest.mark.unit, needs_compose]

SECRET = "a-value-nobody-may-see-4711"
FILES = {
    "compose.yaml": "services: {web: {image: 'x:$TAG', env_file: [web.env], environment: {MODE: '${MODE:-prod}'}}}",
    ".env": f"TAG={SECRET}\nMODE=dev\n",
    "web.env": f"A=1\nNEW={SECRET}\n",
}


def said(directory, variables: dict, files: dict[str, bytes], monkeypatch, caplog) -> list[str]:
    source = read_stack.fn(str(directory), Settings(), "registry", "tag", variables, files)
    block = StackEnvironment(variables=variables, files={path: text.decode() for path, text in files.items()})
    monkeypatch.setattr(environment, "get_run_logger", lambda: logging.getLogger("test"))
    environment.warn_of_outdated(block, variables, source, Settings())
    return [record.getMessage() for record in caplog.records]


def test_what_is_missing_and_what_is_gone_is_named(tmp_path, monkeypatch, caplog):
    write_files(tmp_path, FILES)
    found = said(
        tmp_path, {"TAG": "1", "GONE": SECRET}, {"web.env": f"A=1\nOLD={SECRET}".encode()}, monkeypatch, caplog
    )
    update = f". To bring it up to date: slipway environment set --stack {tmp_path}"
    assert found == [
        f"the environment block lacks MODE, which {tmp_path}/.env has{update}",
        f"the environment block has GONE, which {tmp_path}/.env does not have any more{update}",
        f"web.env in the environment block lacks NEW, which it has here{update}",
        f"web.env in the environment block has OLD, which it does not have here any more{update}",
    ]
    assert SECRET not in "".join(found)


def test_what_the_stack_cannot_do_without_is_refused_by_name(tmp_path):
    write_files(tmp_path, FILES)
    with pytest.raises(UnsetVariables, match="the compose files use TAG, which nobody gave a value"):
        read_stack.fn(str(tmp_path), Settings(), "registry", "tag", {}, {"web.env": b"A=1"})
