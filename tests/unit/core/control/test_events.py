"""Events: names, payloads, and resources that Prefect takes whatever a tag or an alert is called."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect.events.schemas.events import Event

from flows.core.control import events
from flows.core.control.events import EVENT_KINDS, EventKind, EventPayload, event_resource, related_resources

pytestmark = pytest.mark.unit


def test_every_kind_is_listed_once_and_named_in_one_way():
    declared = [value for value in vars(events).values() if isinstance(value, EventKind)]
    assert list(EVENT_KINDS) == declared
    assert len({kind.name for kind in EVENT_KINDS}) == len(EVENT_KINDS)
    assert all(re.fullmatch(r"slipway(\.[a-z]+(-[a-z]+)*)+", kind.name) for kind in EVENT_KINDS)


def test_a_kind_names_only_fields_that_a_payload_has():
    assert {field for kind in EVENT_KINDS for field in kind.fields} <= set(EventPayload.model_fields)


def test_what_an_event_is_about_is_related_each_in_its_role():
    payload = EventPayload(stack="shop", tag="v1", destination="staging", droplet="prod/green", run="1234")
    assert event_resource(payload)["prefect.resource.id"] == "slipway.stack.shop"
    assert [(one["prefect.resource.role"], one["prefect.resource.id"]) for one in related_resources(payload)] == [
        ("release", "slipway.release.shop.v1"),
        ("destination", "slipway.destination.staging"),
        ("droplet", "slipway.droplet.prod-green"),
        ("flow-run", "prefect.flow-run.1234"),
    ]


def test_what_it_is_not_about_is_not_related():
    assert related_resources(EventPayload(stack="shop")) == []


WORDS = st.text(max_size=400)


@given(st.builds(EventPayload, stack=WORDS, tag=WORDS, destination=WORDS, droplet=WORDS))
def test_prefect_takes_the_resources_whatever_the_names_are(payload: EventPayload):
    event = Event(event="slipway.x", resource=event_resource(payload), related=related_resources(payload))
    for resource in event.involved_resources:
        assert re.fullmatch(r"slipway\.[a-z]+\.[A-Za-z0-9_.-]{1,401}", resource.id)
