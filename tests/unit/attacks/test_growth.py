"""Whatever is sent, time grows with its length and not with its square. Of time the processor's own is measured, so
that a busy machine changes nothing."""

import gc
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.hostile.extent import EXAMPLES
from tests.support.hostile.masks import MASKS
from tests.support.hostile.of_droplets import OF_DROPLETS
from tests.support.hostile.of_files import OF_FILES
from tests.support.hostile.of_images import OF_IMAGES
from tests.support.hostile.of_providers import OF_PROVIDERS
from tests.support.hostile.scripts import SCRIPTS, WORDS
from tests.support.judge.extent import EVERYTHING

pytestmark = pytest.mark.unit

if not EVERYTHING:
    pytest.skip("SLIPWAY_FAULTS=all is not set: make test-all", allow_module_level=True)

PUMPS = (
    "a", "9", " ", "\n", "-", ".", "/", ":", "=", "$", "${", "${a", "}", "{", "[", '"', "'", "\\", "`", "#", "<",
    "&a ", "*a ", "- ", "- a\n", "a: b\n", "a=b\n", "a\n", "@@slipway:a\n", "@@slipway:", "==> a <==\n", "\x1b[",
    "\x1b]", "\r", "é", "pass", "KEY=", "https://a:", "a@", '{"a":', '["a",', "ARG A=$A\n", "FROM a\n", "RUN <<a\n",
    "kept 0\n", "gone a\n", "data: ", "../", "%s", "sha256:", "\u2028", "green {}\n", "a b ", "$(a) ", "--a=b ", "0 ",
    "a\tb\n", "&a [*a]\n",
)  # fmt: skip
FIRST, GROWTH, ALLOWED = 2_000, 8, 20.0
# What takes less than this is too short to be measured, and is made longer; what is this long is not.
SHORTEST, LONGEST = 0.003, 32_000


def seconds(work: Callable[[int], Callable[[], object]], size: int) -> float:
    """Of the processor, without what Python's own cleaning up takes at any time it likes."""
    run = work(size)
    gc.disable()
    try:
        began = time.process_time()
        run()
        return time.process_time() - began
    finally:
        gc.enable()


def grows(work: Callable[[int], Callable[[], object]]) -> bool:
    """Whether eight times as much takes much more than eight times as long, each time it is measured."""
    size = FIRST
    while (small := seconds(work, size)) < SHORTEST and size < LONGEST:
        size *= 2
    for _ in range(4):
        if seconds(work, size * GROWTH) <= ALLOWED * max(small, SHORTEST):
            return False
        small = max(small, min(seconds(work, size) for _ in range(2)))
    return True


@pytest.mark.parametrize("attacked", [*OF_DROPLETS, *OF_FILES, *OF_IMAGES, *OF_PROVIDERS], ids=lambda one: one.name)
def test_a_parser_takes_time_that_grows_with_the_length_of_what_it_reads(attacked) -> None:
    def work(pump: str) -> Callable[[int], Callable[[], object]]:
        def sized(size: int) -> Callable[[], object]:
            answer = attacked.long(pump, size // len(pump))
            return lambda: attacked.reads(answer)

        return sized

    assert [pump for pump in PUMPS if grows(work(pump))] == []


@pytest.mark.parametrize("attacked", [*OF_DROPLETS, *OF_FILES, *OF_IMAGES, *OF_PROVIDERS], ids=lambda one: one.name)
def test_a_parser_takes_time_that_grows_with_any_part_of_a_good_answer(attacked) -> None:
    def work(longer: Callable[[int], Any]) -> Callable[[int], Callable[[], object]]:
        def sized(size: int) -> Callable[[], object]:
            answer = longer(size // 16)
            return lambda: attacked.reads(answer)

        return sized

    assert [longer.args for longer in attacked.longer() if grows(work(longer))] == []


@pytest.mark.parametrize("rule", MASKS, ids=lambda one: one.name)
def test_a_rule_of_masking_takes_time_that_grows_with_the_length_of_the_text(rule) -> None:
    def work(pump: str) -> Callable[[int], Callable[[], object]]:
        return lambda size: lambda: rule.apply("s3cret-word", pump * (size // len(pump)))

    assert [pump for pump in PUMPS if grows(work(pump))] == []


@pytest.mark.parametrize("builder", SCRIPTS, ids=lambda one: one.name)
def test_a_script_is_built_in_time_that_grows_with_the_length_of_its_words(builder) -> None:
    def work(pump: str) -> Callable[[int], Callable[[], object]]:
        return lambda size: lambda: builder.script([pump * (size // len(pump))] * WORDS)

    assert [pump for pump in PUMPS if grows(work(pump))] == []


def test_all_is_generated_here() -> None:
    assert EXAMPLES == 10_000
