"""YAML that stands for more than it is: counted, and refused before anything is made of it."""

import pytest

from flows.core.errors import BrokenStack, UnreadableAnswer
from flows.core.stack.compose_files import collect_files, documents_of
from flows.core.stack.compose_versions import compose_needs
from flows.core.stack.compose_yaml import load_config
from flows.core.stack.yaml_limits import DEEPEST, MOST, YamlCount, YamlTooLarge

pytestmark = pytest.mark.unit

LAUGHS = "a: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"b{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)
MERGES = "x0: &x0 {k: v}\n" + "".join(f"x{n}: &x{n} {{<<: [*x{n - 1}, *x{n - 1}]}}\n" for n in range(1, 40))
DEEP = "a: " + "[" * 100_000
LINES = "- " * 50_000 + "a"
ITSELF = "a: &a [*a]"
BOMBS = [LAUGHS, MERGES, DEEP, LINES, ITSELF]


@pytest.mark.parametrize("text", BOMBS, ids=["aliases", "merge keys", "brackets", "dashes", "itself"])
def test_a_bomb_is_refused_whoever_reads_it(text):
    with pytest.raises(BrokenStack):
        documents_of("compose.yml", text)
    with pytest.raises(BrokenStack):
        collect_files(["/compose.yml"], lambda _path: text)
    with pytest.raises(UnreadableAnswer):
        load_config(text)
    assert compose_needs({"compose.yml": text}) == ()


def test_what_stacks_do_with_anchors_is_read():
    text = "x-log: &log {driver: json-file}\nservices:\n" + "".join(f"  s{n}: {{logging: *log}}\n" for n in range(500))
    assert len(documents_of("compose.yml", text)[0]["services"]) == 500
    assert load_config(text)["services"]["s499"] == {"logging": {"driver": "json-file"}}


def test_an_alias_counts_as_all_that_it_stands_for():
    count = YamlCount()
    count.begin("all")
    for _ in range(MOST // 2):
        count.scalar(None)
    count.end()
    with pytest.raises(YamlTooLarge, match=str(MOST)):
        count.alias("all")


def test_the_deepest_that_is_read():
    assert documents_of("f", "a: " + "[" * (DEEPEST - 1) + "]" * (DEEPEST - 1))
    with pytest.raises(BrokenStack, match="levels deep"):
        documents_of("f", "a: " + "[" * DEEPEST + "]" * DEEPEST)
