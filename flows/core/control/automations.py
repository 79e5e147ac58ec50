"""Automations that setup makes at the Prefect server: what each waits for, and what it does then.

They are written as Prefect's API takes them. Their names begin alike and they carry a tag, so that those of others are
told apart.
"""

from collections.abc import Sequence
from typing import Any

TAG = "slipway"
_PREFIX = "slipway: "
_TAGGED: dict[str, Any] = {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{TAG}"}
_RUNS: dict[str, Any] = {"prefect.resource.id": "prefect.flow-run.*"}
_HEARTBEAT = "prefect.flow-run.heartbeat"
# What a run says when it ended, or waits without a process. One that is being cancelled is not among them: its process
# may have died before it could be.
_ENDS = (
    "AwaitingRetry", "Cached", "Cancelled", "Completed", "Crashed", "Failed", "RolledBack", "Superseded", "Suspended",
    "TimedOut",
)  # fmt: skip
# A heartbeat may be late, or lost with a server that is started again.
_HEARTBEATS_MISSED = 3
# What these leave half way, `reconcile` finishes or undoes.
_CHANGING = ["release", "deploy", "deploy-home", "promote", "rollback", "switch-back", "watch"]
_OF_THE_RUN = {
    "stack": "{{ flow_run.parameters.stack | default(none) }}",
    "destination": "{{ flow_run.parameters.destination | default('') }}",
}


def crash_detection(heartbeat: float) -> dict[str, Any]:
    """Marks a worker's run as crashed whose process says nothing any more.

    Args:
        heartbeat: seconds between two heartbeats of a run, as the workers have it.
    """
    return {
        "name": f"{_PREFIX}mark dead runs as crashed",
        "description": "A run whose process died says nothing any more, and would stand there as running for ever.",
        "tags": [TAG],
        "trigger": {
            "type": "event", "posture": "Proactive", "after": [_HEARTBEAT],
            "expect": [_HEARTBEAT, *(f"prefect.flow-run.{name}" for name in _ENDS)],
            "match": _RUNS, "match_related": _TAGGED, "for_each": ["prefect.resource.id"], "threshold": 1,
            "within": heartbeat * _HEARTBEATS_MISSED,
        },
        "actions": [{
            "type": "change-flow-run-state", "state": "CRASHED", "name": None, "force": False,
            "message": f"No heartbeat for {heartbeat * _HEARTBEATS_MISSED:g} s: its process died, or lost the server.",
        }],
    }  # fmt: skip


def recovery(reconcile: str, droplets: Sequence[str], watch: str = "") -> dict[str, Any]:
    """Starts `reconcile` for the stack of a run that crashed, on every droplet: where all is well, it changes nothing.

    Args:
        reconcile, watch: ids of the deployments; no watch: there is no switch.
        droplets: names of the Droplet blocks.
    """
    runs: list[tuple[str, dict[str, Any]]] = [(reconcile, {**_OF_THE_RUN, "droplet": droplet}) for droplet in droplets]
    if watch:
        runs.append((watch, {**_OF_THE_RUN, "seconds": 0}))
    return {
        "name": f"{_PREFIX}reconcile after a crash",
        "description": "What a run that died left half way is finished or undone; traffic is on a colour that is well.",
        "tags": [TAG],
        "trigger": {
            "type": "event", "posture": "Reactive", "after": [], "expect": ["prefect.flow-run.Crashed"],
            "match": _RUNS,
            "match_related": [_TAGGED, {"prefect.resource.role": "flow", "prefect.resource.name": _CHANGING}],
            "for_each": ["prefect.resource.id"], "threshold": 1, "within": 0,
        },
        "actions": [
            {"type": "run-deployment", "source": "selected", "deployment_id": deployment, "parameters": parameters}
            for deployment, parameters in runs
        ],
    }  # fmt: skip


def notifications(block: str) -> list[dict[str, Any]]:
    """One readable message with the run's link: for a failure, a way back, drift, and an answer that is waited for.

    Args:
        block: id of the notification block.
    """
    said = "{{ event.payload.stack }}{% if event.payload.destination %} ({{ event.payload.destination }}){% endif %}"
    link = "{{ event.payload.run_url }}"
    return [
        _notification(
            "tell of a failure",
            block,
            [f"prefect.flow-run.{name}" for name in ("Failed", "Crashed", "TimedOut")],
            "Slipway: {{ flow_run.name }}: {{ flow_run.state.name }}",
            "{{ flow_run.state.message }}\n\n{{ flow_run|ui_url }}",
            match=_RUNS,
            match_related=_TAGGED,
        ),
        _notification(
            "tell of a way back",
            block,
            ["slipway.rolled-back", "slipway.rollback.failed", "slipway.switched-back"],
            f"Slipway: {said}: {{{{ event.event }}}}",
            "release {{ event.payload.tag or 'unknown' }} on {{ event.payload.droplet or event.payload.colour }}, "
            f"instead of {{{{ event.payload.previous or 'nothing' }}}}: {{{{ event.payload.reason }}}}\n\n{link}",
        ),
        _notification(
            "tell of drift",
            block,
            ["slipway.drift.found"],
            f"Slipway: {said} has drifted",
            f"{{{{ event.payload.droplet }}}}: {{{{ event.payload.reason }}}}\n\n{link}",
        ),
        _notification(
            "tell that an answer is waited for",
            block,
            ["slipway.approval.waiting"],
            f"Slipway: {said} waits for an answer",
            f"{{{{ event.payload.reason }}}}\n\nAnswer in the Prefect UI, or: slipway approve\n\n{link}",
        ),
    ]


def _notification(
    name: str, block: str, expect: list[str], subject: str, body: str, *,
    match: dict[str, Any] | None = None, match_related: dict[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    return {
        "name": f"{_PREFIX}{name}",
        "description": "One message by a notification block of Prefect's.",
        "tags": [TAG],
        "trigger": {
            "type": "event", "posture": "Reactive", "after": [], "expect": expect, "match": match or {},
            "match_related": match_related or {}, "for_each": ["prefect.resource.id"], "threshold": 1, "within": 0,
        },
        "actions": [{"type": "send-notification", "block_document_id": block, "subject": subject, "body": body}],
    }  # fmt: skip
