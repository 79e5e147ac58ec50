"""Events: what is told to Prefect's event bus, when, with which payload, and about which resources.

docs/EVENTS.md is made from this file. A payload has every field, '' where it says nothing, so that a template never
meets one that is missing. The resource of an event is the stack; what else it is about is related, each in its role.
"""

import re
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

# A reason is for a person who reads a message; the whole of it stands in the run.
LONGEST = 500
# Prefect asks of an id that it is not empty; a star at its end, or a bang before it, would be a pattern of a trigger.
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_.-]")
_LONGEST_ID = 200


class EventPayload(BaseModel):
    """What an event says. Later versions add fields, and take none away."""

    model_config = ConfigDict(frozen=True)

    version: int = Field(1, description="version of the payload", examples=[1])
    stack: str = Field("", description="the stack's name", examples=["shop"])
    destination: str = Field("", description="where it goes, where destinations are set", examples=["staging"])
    tag: str = Field("", description="the release's tag", examples=["4f2c9a1"])
    digest: str = Field("", description="digest of the release as published", examples=["sha256:9f2b6c…"])
    droplet: str = Field("", description="name of the Droplet block, or of the place on it", examples=["green"])
    colour: str = Field("", description="the colour it is about", examples=["green"])
    previous: str = Field("", description="what was there before: a tag, a colour or a run", examples=["blue"])
    verdict: str = Field("", description="pass, fail, inconclusive; of an answer its decision", examples=["pass"])
    reason: str = Field("", description="why, as one line without secrets", examples=["error rate: 4 % failed"])
    alert: str = Field("", description="name of the alert", examples=["HighErrorRate"])
    action: str = Field("", description="what the alert asks for, by its label", examples=["switch-back"])
    by: str = Field("", description="who: `user@host`, or the name that was given", examples=["ci@runner"])
    run: str = Field("", description="id of the outermost flow run", examples=["0190f0c4-7a51-7cd1-9d0b-2f6d6b1f0a11"])
    run_url: str = Field("", description="that run in the Prefect UI", examples=["http://prefect:4200/runs/…"])


@dataclass(frozen=True)
class EventKind:
    """One kind of event: its name, when it is emitted, and which fields of the payload say something beside those that
    every event fills (stack, destination, by, run, run_url)."""

    name: str
    when: str
    fields: tuple[str, ...] = ()


PUBLISHED = EventKind(
    "slipway.release.published", "a release was built, pushed and published: it can be deployed", ("tag", "digest")
)
DEPLOYED = EventKind(
    "slipway.deploy.succeeded",
    "a release was put on a droplet, its services are ready, and their digests are proved; nothing is probed yet",
    ("tag", "digest", "droplet", "colour"),
)
DEPLOY_FAILED = EventKind(
    "slipway.deploy.failed",
    "a release could not be put on a droplet; what ran before runs on, or is put back by a rollback",
    ("tag", "digest", "droplet", "colour", "reason"),
)
VALIDATED = EventKind(
    "slipway.release.good",
    "a release passed its probes on a droplet, and counts as good there; once for each time it was deployed",
    ("tag", "droplet", "colour"),
)
VALIDATION_FAILED = EventKind(
    "slipway.validation.failed", "a probe of what runs on a droplet failed", ("tag", "droplet", "colour", "reason")
)
GATES_PASSED = EventKind(
    "slipway.gates.passed",
    "the gates of a colour were read by `gates`, by a promotion or at the end of a canary's step, and passed",
    ("tag", "colour", "verdict", "reason"),
)
GATES_FAILED = EventKind(
    "slipway.gates.failed", "the same, and at least one failed", ("tag", "colour", "verdict", "reason")
)
GATES_INCONCLUSIVE = EventKind(
    "slipway.gates.inconclusive",
    "the same, none failed, and at least one could not be judged",
    ("tag", "colour", "verdict", "reason"),
)
PROMOTED = EventKind(
    "slipway.promoted",
    "traffic reaches the new colour, and the gates held while it was watched",
    ("tag", "digest", "colour", "previous", "by"),
)
PROMOTION_FAILED = EventKind(
    "slipway.promotion.failed",
    "a promotion ended by an error or a no; traffic is where it was, or was sent back",
    ("tag", "colour", "previous", "reason"),
)
WATCH_FAILED = EventKind(
    "slipway.watch.failed",
    "the gates of the colour that traffic reaches failed so many times in a row that it counts",
    ("colour", "reason"),
)
SWITCHED_BACK = EventKind(
    "slipway.switched-back",
    "traffic went back to the other colour, or a canary's share to the active one",
    ("tag", "colour", "previous", "reason"),
)
ROLLED_BACK = EventKind(
    "slipway.rolled-back",
    "a release that was good runs on a droplet again, validated",
    ("tag", "droplet", "colour", "previous", "reason"),
)
ROLLBACK_FAILED = EventKind(
    "slipway.rollback.failed",
    "a release that was good could not be put in force again: somebody has to look",
    ("tag", "droplet", "colour", "reason"),
)
INTERRUPTED = EventKind(
    "slipway.run.interrupted",
    "a run that changes something was cancelled, or its process died; what it began is being put right",
    ("tag", "droplet", "verdict", "reason"),
)
RECONCILED = EventKind(
    "slipway.reconciled", "`reconcile` finished or undid what a run had left on a droplet", ("droplet", "reason")
)
APPROVAL_WAITING = EventKind(
    "slipway.approval.waiting", "a run waits for a person's answer; once for each time it asks", ("tag", "reason")
)
APPROVAL_ANSWERED = EventKind(
    "slipway.approval.answered", "a person answered: approve, reject or hold", ("tag", "verdict", "reason", "by")
)
SUPERSEDED = EventKind(
    "slipway.superseded",
    "a run in the queue gave way to a newer one of the same deployment for the same place; `previous` is its id, "
    "`run` that of the newer one",
    ("previous", "reason"),
)
ADOPTED = EventKind("slipway.adopted", "a plain Compose project was taken over to two colours", ("tag", "droplet"))
HOME_DEPLOYED = EventKind(
    "slipway.data-home.deployed",
    "what keeps state was deployed to the data home, and validated",
    ("tag", "digest", "droplet"),
)
DRIFT_FOUND = EventKind(
    "slipway.drift.found", "what runs on a droplet is not what its record says", ("tag", "droplet", "colour", "reason")
)
ALERT_FIRING = EventKind(
    "slipway.alert.firing", "Alertmanager says that an alert fires", ("droplet", "colour", "alert", "action", "reason")
)
ALERT_RESOLVED = EventKind(
    "slipway.alert.resolved",
    "Alertmanager says that it does no more",
    ("droplet", "colour", "alert", "action", "reason"),
)
EVENT_KINDS = (
    PUBLISHED, DEPLOYED, DEPLOY_FAILED, VALIDATED, VALIDATION_FAILED, GATES_PASSED, GATES_FAILED, GATES_INCONCLUSIVE,
    PROMOTED, PROMOTION_FAILED, WATCH_FAILED, SWITCHED_BACK, ROLLED_BACK, ROLLBACK_FAILED, INTERRUPTED, RECONCILED,
    APPROVAL_WAITING, APPROVAL_ANSWERED, SUPERSEDED, ADOPTED, HOME_DEPLOYED, DRIFT_FOUND, ALERT_FIRING, ALERT_RESOLVED,
)  # fmt: skip
GATES = {"pass": GATES_PASSED, "fail": GATES_FAILED, "inconclusive": GATES_INCONCLUSIVE}


def event_resource(payload: EventPayload) -> dict[str, str]:
    """The resource an event is about: the stack, with labels that triggers can match."""
    return {
        "prefect.resource.id": f"slipway.stack.{_safe(payload.stack)}",
        "prefect.resource.name": payload.stack,
        "slipway.stack": payload.stack,
        "slipway.destination": payload.destination,
        "slipway.tag": payload.tag,
        "slipway.action": payload.action,
    }


def related_resources(payload: EventPayload) -> list[dict[str, str]]:
    """What else it is about, each in its role."""
    stack = _safe(payload.stack)
    found = [
        ("release", f"slipway.release.{stack}.{_safe(payload.tag)}", payload.tag),
        ("destination", f"slipway.destination.{_safe(payload.destination)}", payload.destination),
        ("droplet", f"slipway.droplet.{_safe(payload.droplet)}", payload.droplet),
        ("flow-run", f"prefect.flow-run.{payload.run}", payload.run),
    ]
    return [
        {"prefect.resource.id": identity, "prefect.resource.role": role, "prefect.resource.name": name}
        for role, identity, name in found
        if name
    ]


def _safe(text: str) -> str:
    """Text as a part of an id: what the names of stacks and tags are made of, and never empty."""
    return _NOT_IN_IDS.sub("-", text)[:_LONGEST_ID] or "unknown"
