"""Promotions that cannot be: they are refused and told, and traffic stays where it is."""

import pytest
from edge import COLOURS
from pair import FIRST, SECOND, Pair, other

pytestmark = pytest.mark.faults
READ = "before anything is done"


def refused(said: object, error: str, *words: str, code: int = 2) -> None:
    assert said.code == code, said.all  # type: ignore[attr-defined]
    assert said.errors[0].startswith(f"{error}: "), said.err  # type: ignore[attr-defined]
    for word in words:
        assert word in said.err  # type: ignore[attr-defined]


def test_a_promotion_from_nothing_to_both_colours(pair: Pair) -> None:
    scene = pair.settle()
    pair.says("no fault", "", "traffic goes there and back")
    victim = pair.victim(pair.promote())
    said = victim.wait()
    assert said.code == 0, said.all
    print(victim.steps())
    pair.ended_well(scene, scene.idle)
    pair.goes_on(scene)
