"""Places: a droplet, or one part of a stack on a droplet that has several."""

import pytest

from flows.core.droplet.places import block_of, divided_places, split_place
from flows.core.errors import BadColours, ConflictingOptions
from flows.settings import Settings

pytestmark = pytest.mark.unit


def test_a_droplet_that_both_colours_share_is_divided():
    assert divided_places(["prod"], ["prod"], "prod") == (("prod/green",), ("prod/blue",), "prod/home")
    assert divided_places(["prod"], ["prod"], "data") == (("prod/green",), ("prod/blue",), "data")


def test_droplets_of_their_own_are_not():
    for green, blue, home in ((["a"], ["b"], ""), (["a", "c"], ["b"], "b")):
        assert divided_places(green, blue, home) == (tuple(green), tuple(blue), home)


@pytest.mark.parametrize(("green", "blue"), [(["a", "b"], ["a", "b"]), (["a", "b"], ["a"]), (["a", "a"], ["a"])])
def test_several_droplets_are_not_shared(green, blue):
    with pytest.raises(BadColours, match="one droplet"):
        divided_places(green, blue, "")


def test_a_place_is_read_as_it_is_written():
    assert split_place("prod") == ("prod", None)
    assert split_place("prod/blue") == ("prod", "blue")
    assert block_of("prod/blue") == block_of("prod") == "prod"
    for wrong in ("prod/red", "prod/", "prod/green/blue"):
        with pytest.raises(BadColours, match="no place"):
            split_place(wrong)


def test_one_setting_means_all_three():
    said, apart = Settings(one_droplet="prod"), Settings(green=("prod",), blue=("prod",), home="prod")
    for found in (said, apart):
        assert (found.green, found.blue, found.home) == (("prod/green",), ("prod/blue",), "prod/home")
        assert (found.shared_droplet, found.deployed_to) == ("prod", "prod/green")
        assert found.shown == ("prod/green", "prod/blue", "prod/home")
        assert found.role("prod/blue") == "colour"
        assert found.name_on("prod/home", "shop") == "shop-home"
        assert found.colours.of("prod/blue") == "blue"
    with pytest.raises(ValueError, match="leave one_droplet or blue out"):
        Settings(one_droplet="prod", blue=("other",))


def test_the_name_of_a_divided_droplet_alone_says_too_little():
    settings = Settings(one_droplet="prod")
    with pytest.raises(ConflictingOptions, match="--droplet prod/green, --droplet prod/blue, --droplet prod/home"):
        settings.refuse_divided("prod")
    assert settings.refuse_divided("prod/blue") == "prod/blue"
    assert Settings().refuse_divided("prod") == "prod"
    assert Settings(droplet="prod").deployed_to == "prod"
