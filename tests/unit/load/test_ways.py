"""The table of ways says what the load found: nothing better, nothing worse."""

import pytest

from benchmarks.load import Kind, Outcome, Request, Result, Writes
from benchmarks.switches.way import COLUMNS, Decision, Way

pytestmark = pytest.mark.unit

NONE_WRONG = Writes(acknowledged=9, doubled=0, lost=0)


def short(start: float, colour: str = "", release: str = "", well: bool = True) -> Request:
    outcome = Outcome.WELL if well else Outcome.FAILED
    return Request(Kind.KEPT, start, start + 0.01, outcome, 200, "" if well else "502", colour, release)


def cut(colour: str, end: float) -> Request:
    return Request(Kind.STREAM, 0, end, Outcome.CUT, 200, "the stream was ended", colour)


def cells(way: Way) -> dict[str, str]:
    return dict(zip(COLUMNS, way.row(), strict=True))


def test_a_round_takes_until_the_last_client_that_the_old_colour_answered():
    way = Way("promote", 2, 2, [Decision(10, 12, left="green"), Decision(20, 22, left="blue")])
    way.back = [Decision(30, 31, left="green")]
    asked = [short(9.9, "green"), short(10.04, "green"), short(10.05, "blue"), short(20.1, "green")]
    asked += [short(30.5, "green"), short(31, "blue")]
    way.result = Result(tuple(asked), NONE_WRONG)
    assert way.seconds(way.decisions) == pytest.approx([0.04, 0.0])
    assert cells(way)[COLUMNS[7]] == "20 ms, 40 ms"
    assert cells(way)["switch back"] == "500 ms, 500 ms"
    assert cells(way)["rounds"] == "2"


def test_in_place_a_client_is_there_when_the_new_release_answers_and_no_request_fails_any_more():
    way = Way("in place", 2, 2, [Decision(10, 15, release="r2")], [Decision(20, 25, release="r1")])
    asked = [short(10.1, release="r1"), short(12.5, well=False), short(13, release="r2"), short(21, release="r2")]
    way.result = Result((*asked, short(22, release="r1")), NONE_WRONG)
    assert way.seconds(way.decisions) == [2.5]
    assert way.seconds(way.back) == [1.0]
    assert cells(way)["failed"] == "1"
    assert cells(way)["rounds"] == "2"


def test_a_stream_that_its_colour_was_kept_for_is_told_apart_from_one_that_the_switch_cut():
    way = Way("promote", 2, 2, [Decision(10, 12, left="green"), Decision(20, 22, left="blue")])
    by_the_switch, by_the_next_release, on_the_active = cut("green", 11), cut("green", 18), cut("green", 25)
    way.result = Result((by_the_switch, by_the_next_release, on_the_active), NONE_WRONG)
    assert [way.ended_later(r) for r in way.result.cuts] == [False, True, False]
    assert cells(way)["cut streams"] == "2 (+ 1 ended later)"
    assert way.notes() == ["promote, what failed or was cut: 3 x the stream was ended (event stream)."]


def test_in_place_every_stream_that_ends_was_cut():
    way = Way("in place", 1, 1, [Decision(10, 12, release="r2")], result=Result((cut("", 15),), NONE_WRONG))
    assert cells(way)["cut streams"] == "1"


def test_a_way_that_failed_says_so():
    way = Way("promote", 3, 1, [Decision(10, 12, left="green")], trouble=["promotion 2 of t failed", "given up"])
    way.result = Result((), Writes(3, 0, None))
    assert cells(way)["rounds"] == "1 of 3"
    assert cells(way)["lost or doubled writes"] == "unknown"
    assert way.notes() == ["promote: promotion 2 of t failed.", "promote: given up."]
    assert set(Way("promote", 3).row()[2:]) == {"-"}
