"""The droplet that a release goes to is asked for its Compose before anything is built."""

import logging
from types import SimpleNamespace

import pytest

from flows.core.errors import DropletNotReady
from flows.settings import Settings
from flows.tasks.deploy.pull import PrefetchQueue

pytestmark = pytest.mark.unit
NEEDS = {"`gpus` (compose.yaml:9)": "2.30.0"}


class Session:
    """A droplet with this version of Compose."""

    address = "blue at 10.0.0.1"

    def __init__(self, version: str) -> None:
        self.version, self.asked = version, []

    def run(self, command, timeout):
        self.asked.append(command)
        return SimpleNamespace(out=f"{self.version}\n")


def check(version: str, needs: dict) -> Session:
    session = Session(version)
    with PrefetchQueue(session, None, Settings(), logging.getLogger("test")) as ahead:
        ahead.check_compose("shop", needs)
    return session


def test_a_droplet_whose_compose_is_older_than_the_stack_is_refused_with_the_line():
    words = r"blue at 10\.0\.0\.1 cannot take stack shop: its Compose is 2\.26\.1, and `gpus` \(compose\.yaml:9\) needs"
    with pytest.raises(DropletNotReady, match=words):
        check("2.26.1", NEEDS)


@pytest.mark.parametrize("version", ["2.30.0", "5.1.0", ""], ids=["the one that is needed", "newer", "nobody knows"])
def test_one_that_is_new_enough_is_taken_and_one_without_compose_is_for_the_preflight(version):
    assert len(check(version, NEEDS).asked) == 1


def test_a_stack_that_asks_for_nothing_costs_no_round_trip():
    assert check("2.20.0", {}).asked == []
