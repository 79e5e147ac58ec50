"""Whatever names a script is made of, none of their words is ever run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hostile.argv import ARGV, PLACES, ArgvBuilder
from tests.support.hostile.extent import generated
from tests.support.hostile.scripts import SCRIPTS, WORDS
from tests.support.hostile.shell import RUN, Shell
from tests.support.hostile.texts import words

pytestmark = pytest.mark.unit

# No name holds a NUL: no argument and no path can. A name that is one of ours in between is as hostile as any.
names = st.lists(
    words | st.sampled_from(RUN) | st.sampled_from(["../..", "-rf", "*", "~", "a b", "a/b", "%s", "!"]), max_size=4
)
hostile = names.map("".join).filter(lambda name: "\0" not in name)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return Shell(tmp_path_factory.mktemp("shell"))


@pytest.mark.parametrize(
    "line", ["echo a{}b", "echo 'a{}b'", 'echo "a{}b"', "cat <<E\n{}\nE", "trap 'echo {}' EXIT", "{}"]
)
def test_the_canary_tells_where_a_name_is_not_quoted_or_not_well(shell: Shell, line: str) -> None:
    told = [how for how in RUN if "a word of it was run" in shell.problem([line.format(how)])]
    assert len(told) >= 3


def test_the_canary_tells_nothing_of_words_that_are_quoted(shell: Shell) -> None:
    assert shell.problem(["echo 'a;b'", "exit 1", "false"]) == ""


@generated()
@given(given_names=st.lists(hostile, min_size=WORDS, max_size=WORDS))
def test_no_word_of_a_name_is_run(shell: Shell, given_names: list[str]) -> None:
    assert shell.problem([builder.script(given_names) for builder in SCRIPTS]) == ""


@generated()
@given(words=st.lists(hostile.filter(bool), min_size=len(PLACES), max_size=len(PLACES)))
def test_a_word_of_a_command_line_stays_one_word_at_its_place(words: list[str]) -> None:
    assert [builder.name for builder in ARGV if builder.build(words) != builder.expected(words)] == []


@pytest.mark.parametrize("builder", ARGV, ids=lambda builder: builder.name)
def test_a_script_in_a_command_line_is_ours_alone(builder: ArgvBuilder) -> None:
    argv = builder.build(PLACES)
    scripts = [argv[number + 1] for number, word in enumerate(argv) if word == "-c"]
    assert [script for script in scripts if any(place in script for place in PLACES)] == []
