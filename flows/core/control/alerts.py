"""Alerts: what Alertmanager's webhook says, and the events it becomes."""

import uuid
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from flows.core.control.events import ALERT_FIRING, ALERT_RESOLVED, EventKind, EventPayload
from flows.core.errors import BadAlert

# Alertmanager groups alerts, and may be told to cut a group (`max_alerts`); a body larger than this is none of its.
LARGEST_BODY = 1024 * 1024
_MOST = 500
_NAMESPACE = uuid.UUID("5a0d4a0e-0a8f-5d5c-9f0e-6a1d8f1b7c11")


class _Alert(BaseModel):
    status: Literal["firing", "resolved"]
    labels: dict[str, str] = Field(max_length=100)
    annotations: dict[str, str] = Field({}, max_length=100)
    startsAt: str = Field("", max_length=100)  # noqa: N815 — Alertmanager's own word
    fingerprint: str = Field("", max_length=100)


class _Webhook(BaseModel):
    """What Alertmanager posts, of version 4; fields that are not needed here are left alone."""

    version: Literal["4"]
    alerts: list[_Alert] = Field(max_length=_MOST)


@dataclass(frozen=True)
class AlertEvent:
    """One alert that began or ended: the kind of its event, its payload, and an id that is the same whenever
    Alertmanager says it again."""

    kind: EventKind
    payload: EventPayload
    id: uuid.UUID


def read_alerts(body: bytes, stack: str) -> list[AlertEvent]:
    """The events that a body of Alertmanager's webhook becomes.

    Args:
        stack: the stack of an alert that has no label `stack`.

    Raises:
        BadAlert: it is not what Alertmanager sends.
    """
    try:
        said = _Webhook.model_validate_json(body)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in fault["loc"][:4])[:80]
        raise BadAlert(
            f"this is not the body of Alertmanager's webhook (version 4): {where or 'the whole'}: {fault['type']}. "
            "Let a `webhook_configs` of Alertmanager post it: docs/EVENTS.md"
        ) from None
    return [_event(alert, stack) for alert in said.alerts]


def _event(alert: _Alert, stack: str) -> AlertEvent:
    labels, notes = alert.labels, alert.annotations
    kind = ALERT_FIRING if alert.status == "firing" else ALERT_RESOLVED
    payload = EventPayload(
        stack=labels.get("stack") or stack,
        destination=labels.get("destination", ""),
        droplet=labels.get("droplet", ""),
        colour=labels.get("colour", ""),
        action=labels.get("action", ""),
        alert=labels.get("alertname", ""),
        reason=notes.get("summary") or notes.get("description") or labels.get("alertname", ""),
        by="alertmanager",
    )
    known = f"{alert.fingerprint} {alert.startsAt} {alert.status} {sorted(labels.items())}"
    return AlertEvent(kind, payload, uuid.uuid5(_NAMESPACE, known))
