"""A switch that stands in front of both colours must answer before it is turned, whatever it answers."""

import pytest
from pydantic import PrivateAttr

import blocks
from blocks.traffic.state import SwitchProbe, SwitchState
from blocks.traffic.switch import TrafficSwitch
from flows.core.errors import SwitchSilent
from flows.tasks.traffic import switch as traffic

pytestmark = pytest.mark.unit


class Hearing(TrafficSwitch):
    """Hears what a test gives it, one after another; the last one again and again."""

    _block_type_slug = "slipway-test-silent"
    _heard: list = PrivateAttr(default_factory=list)
    _count: int = 0

    @property
    def client_impact(self) -> str:
        return "Nothing is cut."

    def read(self) -> SwitchState:
        raise AssertionError("nobody reads it")

    def switch_to(self, to: str, seen: SwitchState, by: str) -> SwitchState:
        raise AssertionError("nobody turns it")

    def probe(self, timeout: float = 5.0) -> SwitchProbe:
        self._count += 1
        return self._heard.pop(0) if len(self._heard) > 1 else self._heard[0]


class InFront(Hearing):
    _block_type_slug = "slipway-test-in-front"

    @property
    def in_front(self) -> bool:
        return True


def test_what_stands_in_front_of_both_colours_must_answer_whatever_it_says():
    sick = InFront(url="http://x")
    sick._heard = [SwitchProbe(None, 0, "refused"), SwitchProbe(None, 502, "bad gateway")]
    traffic.refuse_silent_switch(sick, SwitchState(("green",)), 60.0)
    assert sick._count == 2


def test_one_that_does_not_answer_at_all_is_named_and_nothing_else_is_to_blame():
    silent = InFront(url="http://x")
    silent._heard = [SwitchProbe(None, 0, "GET http://x: ConnectError")]
    with pytest.raises(SwitchSilent, match=r"does not answer: GET http.*Traffic was not moved") as said:
        traffic.refuse_silent_switch(silent, SwitchState(("green",)), 0.0)
    assert said.value.exit_code == 2


@pytest.mark.parametrize(("kind", "active"), [(Hearing, ("green",)), (InFront, ())])
def test_an_address_that_leads_to_a_dead_droplet_may_be_turned_and_so_may_one_that_leads_nowhere(kind, active):
    switch = kind(url="http://x")
    switch._heard = [SwitchProbe(None, 0, "refused")]
    traffic.refuse_silent_switch(switch, SwitchState(active), 0.0)
    assert switch._count == 0


@pytest.mark.parametrize(
    ("kind", "is_in_front"),
    [("CaddySwitch", True), ("LoadBalancerSwitch", True), ("DnsSwitch", False), ("ReservedIpSwitch", False)],
)
def test_a_caddy_and_a_load_balancer_stand_in_front_a_name_and_an_address_do_not(kind, is_in_front):
    assert getattr(blocks, kind).in_front.fget(None) is is_in_front
