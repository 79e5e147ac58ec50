"""An environment block that is out of date is told by name."""

import pytest

from flows.core.secrets.outdated import EnvironmentNames, outdated_env_files, outdated_environment

pytestmark = pytest.mark.unit


def told(held: list[str], here: list[str], held_files: list[str] | None = None, files: list[str] | None = None, **more):
    named = more.pop("named", files or [])
    return outdated_environment(
        EnvironmentNames(held, held_files or []), EnvironmentNames(here, files or []), env_file="s/.env",
        named_files=named, **more,
    )  # fmt: skip


def test_a_block_that_is_up_to_date_is_not_mentioned():
    assert told(["A"], ["A"], ["x.env"], ["x.env"]) == []


def test_what_it_lacks_and_what_is_gone_is_named():
    assert told(["GONE", "A"], ["NEW", "A", "ALSO"], ["old.env"], ["new.env"]) == [
        "the environment block lacks ALSO, NEW, which s/.env has",
        "the environment block has GONE, which s/.env does not have any more",
        "the environment block lacks new.env, which the stack names",
        "the environment block has old.env, which the stack does not name any more",
    ]


def test_a_source_without_an_env_file_says_nothing_of_variables():
    assert told(["A"], []) == []


def test_a_variable_that_the_run_has_from_elsewhere_is_not_lacking():
    assert told([], ["A", "B"], elsewhere=["A"]) == ["the environment block lacks B, which s/.env has"]


def test_a_file_that_is_named_and_not_needed_is_neither_lacking_nor_gone():
    assert told([], [], ["optional.env"], [], named=["optional.env"]) == []
    assert told([], [], [], [], named=["optional.env"]) == []


def test_an_env_file_that_has_other_variables_in_the_block_is_told_by_name():
    held = {"web.env": ["A", "OLD"], "same.env": ["A"], "gone.env": ["A"]}
    here = {"web.env": ["A", "NEW", "ALSO"], "same.env": ["A"], "new.env": ["A"]}
    assert outdated_env_files(held, here) == [
        "web.env in the environment block lacks ALSO, NEW, which it has here",
        "web.env in the environment block has OLD, which it does not have here any more",
    ]
