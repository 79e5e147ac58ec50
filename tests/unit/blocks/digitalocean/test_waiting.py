"""Waiting for DigitalOcean: which states are told, and what is said of one that does not end."""

import pytest

from blocks.digitalocean.waiting import wait_for
from blocks.errors import ActionUnfinished

pytestmark = pytest.mark.unit


def test_a_state_is_told_when_it_changes_and_again_after_a_while(clock):
    told = []
    wait_for(
        "droplet web",
        lambda: "new" if clock.now() < 1 else "off" if clock.now() < 40 else "active",
        lambda state: state == "active",
        60,
        tell=told.append,
        state=str,
        clock=clock,
    )
    assert [words.partition(" (")[0] for words in told] == ["droplet web: new", *["droplet web: off"] * 3]
    assert told[0] == "droplet web: new (0 s)"
    assert max(clock.pauses) == 5


def test_what_does_not_end_is_told_with_its_state_and_the_next_step(clock):
    with pytest.raises(ActionUnfinished) as error:
        wait_for("droplet web", lambda: 7, lambda _: False, 30, state=lambda found: f"state {found}", clock=clock)
    assert str(error.value).startswith("droplet web is still state 7 after 30 s. It goes on there")
    assert "run the same command again" in str(error.value)
