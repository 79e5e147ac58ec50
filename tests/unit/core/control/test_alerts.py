"""Alerts: what becomes of a body of Alertmanager's webhook, and what is refused."""

import json

import pytest

from flows.core.control.alerts import read_alerts
from flows.core.errors import BadAlert

pytestmark = pytest.mark.unit
ALERT = {
    "status": "firing",
    "labels": {"alertname": "HighErrorRate", "stack": "shop", "colour": "green", "action": "switch-back"},
    "annotations": {"summary": "4 % of the requests fail"},
    "startsAt": "2026-01-01T12:00:00Z", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "a1b2",
    "generatorURL": "http://prometheus:9090/graph",
}  # fmt: skip
WEBHOOK = {
    "version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": "firing", "receiver": "slipway",
    "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://here", "alerts": [ALERT],
}  # fmt: skip


def body(*alerts: dict, **changed) -> bytes:
    return json.dumps({**WEBHOOK, "alerts": list(alerts or [ALERT]), **changed}).encode()


def test_an_alert_that_fires_becomes_an_event_of_its_stack():
    (event,) = read_alerts(body(), "compose")
    payload = event.payload
    assert event.kind.name == "slipway.alert.firing"
    assert (payload.stack, payload.colour, payload.action) == ("shop", "green", "switch-back")
    assert (payload.alert, payload.reason) == ("HighErrorRate", "4 % of the requests fail")


def test_without_the_label_it_is_of_the_receivers_stack():
    (event,) = read_alerts(body({"status": "resolved", "labels": {"alertname": "Gone"}}), "compose")
    assert (event.kind.name, event.payload.stack) == ("slipway.alert.resolved", "compose")
    assert event.payload.reason == "Gone"


def test_the_same_alert_has_the_same_id_and_a_later_one_another():
    ids = [
        read_alerts(body(one), "compose")[0].id
        for one in (ALERT, {**ALERT, "endsAt": "x"}, {**ALERT, "status": "resolved"}, {**ALERT, "startsAt": "later"})
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


BAD = {
    "no JSON": b"hello",
    "half of it": body()[:40],
    "another version": body(version="3"),
    "too many": body(*[ALERT] * 501),
    "a status of its own": body({**ALERT, "status": "perhaps"}),
    "labels that are no text": body({**ALERT, "labels": {"stack": 1}}),
    "nested without end": b"[" * 100_000,
}


@pytest.mark.parametrize("said", BAD.values(), ids=BAD)
def test_what_alertmanager_does_not_send_is_refused_without_repeating_it(said: bytes):
    with pytest.raises(BadAlert, match="not the body of Alertmanager's webhook") as refused:
        read_alerts(said, "compose")
    assert len(str(refused.value)) < 300
    assert "perhaps" not in str(refused.value)
