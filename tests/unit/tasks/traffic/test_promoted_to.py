"""Where a promotion goes when the switch points nowhere: a new edge has a first colour, one that lost its file not."""

from types import SimpleNamespace

import pytest

from flows.core.errors import SwitchAmbiguous
from flows.settings import Settings
from flows.tasks.traffic import colours
from flows.tasks.traffic.colours import promoted_to

pytestmark = pytest.mark.unit
ONE, TWO = {"one_droplet": "prod"}, {"green": ("first",), "blue": ("second",)}


def go(monkeypatch, stands_on_blue, *, active=(), to=None, **settings):
    looked = []

    def read_states(colour):
        looked.append(colour)
        return [SimpleNamespace(release=stands_on_blue)]

    monkeypatch.setattr(colours, "read_states", read_states)
    found = promoted_to(active, to, "the edge", {"green": "green", "blue": "blue"}, Settings(**settings))
    return found, looked


def test_a_new_edge_leads_to_green(monkeypatch):
    assert go(monkeypatch, None, **ONE) == (("green", None), ["blue"])


def test_a_switch_that_lost_its_file_leads_nowhere(monkeypatch):
    with pytest.raises(SwitchAmbiguous, match="slipway promote --to COLOUR"):
        go(monkeypatch, "a release", **ONE)


def test_so_does_the_switch_of_two_droplets(monkeypatch):
    with pytest.raises(SwitchAmbiguous, match="slipway promote --to COLOUR"):
        go(monkeypatch, None, **TWO)


@pytest.mark.parametrize(
    ("active", "to", "wanted"), [((), "blue", ("blue", None)), (("green",), None, ("blue", "green"))]
)
def test_nobody_is_looked_at_when_it_is_known(monkeypatch, active, to, wanted):
    assert go(monkeypatch, "a release", active=active, to=to, **ONE) == (wanted, [])
