"""Whether a colour may be put to sleep, and what of it is started again."""

from dataclasses import replace

import pytest

from flows.core.deploy.deployed_state import DeployedState
from flows.core.traffic.sleep import services_to_wake, why_awake
from tests.support.builders import record, release, stack

pytestmark = pytest.mark.unit
STANDS = DeployedState("g1", release(), record(3, "v1"), stack({"web": {}}))
SEEN = {"g1 3 v1.0", "g2 5 v1.0"}
OTHER = replace(STANDS, droplet="g2", record=record(5, "v1"))


def test_what_is_as_it_was_may_sleep():
    assert why_awake("green", ("blue",), SEEN, [STANDS, OTHER]) == ""


@pytest.mark.parametrize(
    ("active", "states", "why"),
    [
        (("green",), [STANDS], "the switch points at green"),
        (("blue", "green"), [STANDS], "the switch points at blue and green"),
        ((), [STANDS], "the switch points at no colour"),
        (("blue",), [STANDS, DeployedState("g2")], "g2 carries no release"),
        (("blue",), [replace(STANDS, record=record(4, "v1"))], "g1 carries release v1 of record 4 by now"),
        (("blue",), [STANDS, replace(OTHER, record=record(5, "v2"))], "g2 carries release v2 of record 5 by now"),
    ],
    ids=["it serves", "both serve", "nobody serves", "a droplet is empty", "another record", "another release"],
)
def test_what_is_not_as_it_was_stays_awake(active, states, why):
    assert why_awake("green", active, SEEN, states) == why


SERVICES = {
    "web": {"restart": "always"},
    "tool": {"restart": "unless-stopped", "depends_on": {"migrate": {"condition": "service_completed_successfully"}}},
    "migrate": {"restart": "on-failure"},
    "plain": {},
    "spare": {"restart": "always", "scale": 0},
}


@pytest.mark.parametrize(
    ("slept", "started"),
    [
        ((), ["tool", "web"]),
        (("plain", "web"), ["plain", "tool", "web"]),
        (("gone", "web"), ["tool", "web"]),
        (("migrate",), ["migrate", "tool", "web"]),
    ],
    ids=[
        "only what shall always run",
        "what ran without a restart",
        "a service that left",
        "a one-shot that still ran",
    ],
)
def test_what_ran_and_what_shall_always_run_is_started_again(slept, started):
    assert services_to_wake(stack(SERVICES), slept) == started
