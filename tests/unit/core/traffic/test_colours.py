"""The two colours: they are two, and traffic goes to the one that it does not reach."""

import pytest

from flows.core.errors import BadColours, SwitchAmbiguous
from flows.core.traffic.colours import Colours, check_colours, direction, other

pytestmark = pytest.mark.unit

TWO = Colours(("g1", "g2"), ("b1",))
PLACES = {"g1": "root@10.0.0.1:22", "g2": "root@10.0.0.2:22", "b1": "root@10.0.0.3:22"}


def test_each_colour_knows_its_droplets_and_each_droplet_its_colour():
    assert (TWO.droplets("green"), TWO.droplets("blue")) == (("g1", "g2"), ("b1",))
    assert [TWO.of(name) for name in ("g2", "b1", "home")] == ["green", "blue", None]
    assert (other("green"), other("blue")) == ("blue", "green")


def test_two_colours_with_droplets_of_their_own_are_taken():
    assert check_colours(TWO, PLACES) is None


@pytest.mark.parametrize(
    ("colours", "words"),
    [
        (Colours((), ("b1",)), r"green has no droplet\. .*SLIPWAY_GREEN='\[\"NAME\"\]'"),
        (Colours(("g1",), ()), r"blue has no droplet\. .*SLIPWAY_BLUE="),
        (Colours(("g1",), ("g1",)), r"droplet g1 is named twice: root@10\.0\.0\.1:22"),
        (Colours(("g1", "g1"), ("b1",)), "droplet g1 is named twice"),
    ],
)
def test_colours_that_are_not_two_are_refused(colours, words):
    with pytest.raises(BadColours, match=words):
        check_colours(colours, PLACES)


def test_two_names_of_one_place_are_one_droplet():
    with pytest.raises(BadColours, match=r"droplets g2 and b1 are one host: root@10\.0\.0\.2:22"):
        check_colours(TWO, {**PLACES, "b1": PLACES["g2"]})


@pytest.mark.parametrize(
    ("active", "to", "found"),
    [
        (("green",), None, ("blue", "green")),
        (("blue",), None, ("green", "blue")),
        (("green",), "blue", ("blue", "green")),
        (("blue",), "green", ("green", "blue")),
        ((), "green", ("green", None)),
        ((), "blue", ("blue", None)),
    ],
)
def test_traffic_goes_to_the_colour_that_it_does_not_reach(active, to, found):
    assert direction(active, to, "the switch") == found


BOTH = ("the switch points at both colours", "slipway switch-back --to COLOUR")


@pytest.mark.parametrize(
    ("active", "to", "words"),
    [
        (("green", "blue"), None, BOTH),
        (("green", "blue"), "blue", BOTH),
        ((), None, ("the switch points at no colour", "slipway promote --to COLOUR", "switch-back --to COLOUR")),
        (("green",), "green", ("points at green already", "the release on blue: slipway promote")),
        (("blue",), "blue", ("points at blue already", "the release on green: slipway promote")),
    ],
)
def test_a_direction_that_is_not_clear_is_refused_with_what_to_do(active, to, words):
    with pytest.raises(SwitchAmbiguous) as error:
        direction(active, to, "the switch")
    assert [word for word in words if word not in str(error.value)] == []


@pytest.mark.parametrize("active", [(), ("green",), ("green", "blue")])
def test_a_third_colour_is_refused(active):
    with pytest.raises(BadColours, match="red is no colour: green or blue"):
        direction(active, "red", "the switch")


def test_a_new_edge_that_points_nowhere_gets_its_first_colour():
    assert direction((), None, "the edge", "green") == ("green", None)
    assert direction((), "blue", "the edge", "green") == ("blue", None)
    assert direction(("green",), None, "the edge", "green") == ("blue", "green")
