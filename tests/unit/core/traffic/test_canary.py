"""The steps of a canary: which are accepted, and how they are told."""

import pytest
from pydantic import ValidationError

from flows.core.errors import BadCanary
from flows.core.traffic.canary import canary_sentence, canary_steps, canary_trouble
from flows.core.traffic.edge.share import share_expression, share_number
from flows.settings import Settings
from tests import CHECKOUT

pytestmark = pytest.mark.unit

BAD = {
    "0": "0: a share is 1 to 99 percent",
    "100": "100: a share is 1 to 99 percent",
    "25,5": "25, 5: the shares must rise",
    "5,5": "5, 5: the shares must rise",
    "1,2,3,4,5,6,7": "7 steps are too many: at most 6",
}


@pytest.mark.parametrize("text", BAD)
def test_steps_that_are_none_are_refused_with_the_reason(text):
    assert canary_trouble([int(word) for word in text.split(",")]) == BAD[text]
    with pytest.raises(BadCanary, match=rf"{BAD[text]}\. Nothing was changed\. Like this: --canary 5,25,50") as error:
        canary_steps(text, (7,))
    assert error.value.exit_code == 2
    with pytest.raises(ValidationError, match=BAD[text]):
        Settings(canary=tuple(int(word) for word in text.split(",")))


@pytest.mark.parametrize("text", ["", "5,", "five", "5%", "-5", "5.5", "5000", "\u0665", "x" * 500])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(BadCanary, match="is no percent") as error:
        canary_steps(text, ())
    assert len(str(error.value)) < 200


@pytest.mark.parametrize(
    ("text", "steps"),
    [("5,25,50", (5, 25, 50)), (" 1 , 99 ", (1, 99)), ("none", ()), (None, (7,)), ("1,2,3,4,5,6", (1, 2, 3, 4, 5, 6))],
)
def test_steps_are_those_asked_for_or_those_of_the_setting(text, steps):
    assert canary_steps(text, (7,)) == steps


def test_the_setting_is_read_from_the_environment(monkeypatch):
    monkeypatch.setenv("SLIPWAY_CANARY", "[5, 25]")
    monkeypatch.setenv("SLIPWAY_CANARY_SECONDS", "1.5")
    assert (Settings().canary, Settings().canary_seconds) == ((5, 25), 1.5)


def test_steps_are_told_in_one_sentence():
    assert canary_sentence((), 60) == ""
    assert canary_sentence((5, 50), 60) == "a canary first: 5 %, 50 % of the clients, by their address, for 60 s each"


NETWORKS = {
    "one network": [f"203.0.113.{n}" for n in range(256)],
    "many networks": [f"{n}.{m}.0.1" for n in range(256) for m in range(10)],
    "IPv6": [f"2001:db8::{n * 7919 % 65536:x}:{n * 104729 % 65536:x}" for n in range(3000)],
    "IPv6 servers": [f"2001:db8:{n:x}::1" for n in range(3000)],
}


@pytest.mark.parametrize("network", NETWORKS)
def test_a_share_of_addresses_is_about_that_share_wherever_they_are(network):
    numbers = [share_number(address) for address in NETWORKS[network]]
    assert set(numbers) <= set(range(100))
    for percent in (5, 25, 50):
        found = 100 * sum(number < percent for number in numbers) / len(numbers)
        assert abs(found - percent) <= 4


@pytest.mark.parametrize("address", ["::1", "::", "", "fe80::1%eth0", "zzzzzzzz", "."])
def test_every_address_has_a_number(address):
    assert share_number(address) in range(100)


@pytest.mark.parametrize("page", ["docs/BLUE_GREEN_DEPLOYMENT.md", "compose/lab/edge/Caddyfile"])
def test_a_caddyfile_by_hand_draws_as_ours_does(page):
    text = " ".join((CHECKOUT / page).read_text().split()).replace(" )", ")")
    assert share_expression() in text
