"""`.slipwayignore`: the nearest word counts, and the last one in a file."""

import pytest

from flows.core.errors import BrokenStack
from flows.core.stack.files.ignore import IgnoreRules, ignore_rules

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("lines", "path", "directory", "said"),
    [
        (["*.log"], "/p/a.log", False, True),
        (["*.log"], "/p/deep/a.log", False, True),
        (["/a.log"], "/p/deep/a.log", False, None),
        (["*.log", "!keep.log"], "/p/keep.log", False, False),
        (["dir/"], "/p/dir", True, True),
        (["dir/"], "/p/dir", False, None),
        (["# a comment", "", "a b"], "/p/a b", False, True),
        (["**/x/*.tmp"], "/p/q/x/a.tmp", False, True),
        (["*"], "/other/a", False, None),
        (["*"], "/p2/a", False, None),
    ],
)
def test_patterns_are_those_of_git(lines, path, directory, said):
    assert ignore_rules("/p", lines).left_out(path, directory=directory) is said


def test_what_stands_nearer_wins():
    rules = ignore_rules("/p", ["*.log"]) + ignore_rules("/p/sub", ["!a.log"])
    assert (rules.left_out("/p/sub/a.log", directory=False), rules.left_out("/p/a.log", directory=False)) == (
        False,
        True,
    )


def test_no_rules_say_nothing():
    assert IgnoreRules().left_out("/p/a", directory=False) is None


def test_a_pattern_that_is_none_is_refused_with_its_file():
    with pytest.raises(BrokenStack, match=r"^/p/\.slipwayignore: .*git-scm\.com"):
        ignore_rules("/p", ["!"])
