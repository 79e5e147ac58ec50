"""Makes the automations at the Prefect server: creates, updates what differs, and leaves what others made."""

from collections.abc import Sequence
from typing import Any, Literal

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.events.schemas.automations import Automation, AutomationCore
from prefect.exceptions import ObjectNotFound

from blocks import Droplet
from flows.core.control.automations import TAG, crash_detection, notifications, recovery
from flows.core.droplet.places import block_of
from flows.core.errors import BlockMissing, DeploymentMissing
from flows.settings import Settings
from flows.tasks.runs.blocks import saved_names

Outcome = Literal["created", "updated", "as it was"]
_SETS = ("after", "expect", "for_each")


def ensure_automations(settings: Settings, *, notify: str = "", heartbeat: float = 180.0) -> dict[str, Outcome]:
    """Make the automations; a second call changes nothing. Whether one is turned on stays a person's decision.

    Args:
        notify: a notification block of Prefect's, as `slack-webhook/NAME`; '': notifications are left as they are.
        heartbeat: seconds between two heartbeats, as the workers have it (PREFECT_FLOWS_HEARTBEAT_FREQUENCY).

    Returns:
        Name of each automation, and what became of it.

    Raises:
        DeploymentMissing: `prefect deploy --all` was not run.
        BlockMissing: there is no such block, or it sends no messages.
    """
    known = saved_names(Droplet)
    droplets = [name for name in settings.shown if block_of(name) in known]
    with get_client(sync_client=True) as client:
        wanted = [crash_detection(heartbeat)]
        if droplets:
            watch = _deployment(client, "watch") if settings.switch else ""
            wanted.append(recovery(_deployment(client, "reconcile"), droplets, watch))
        if notify:
            wanted += notifications(notification_block(client, notify))
        return ensure_each(client, wanted)


def ensure_each(client: SyncPrefectClient, wanted: Sequence[dict[str, Any]]) -> dict[str, Outcome]:
    """Make these automations; name of each, and what became of it."""
    return {one["name"]: _ensure(client, AutomationCore.model_validate(one)) for one in wanted}


def _ensure(client: SyncPrefectClient, wanted: AutomationCore) -> Outcome:
    found = [one for one in client.read_automations_by_name(wanted.name) if TAG in one.tags]
    if not found:
        client.create_automation(wanted)
        return "created"
    mine = found[0]
    wanted = wanted.model_copy(update={"enabled": mine.enabled})
    if _compared(mine) == _compared(wanted):
        return "as it was"
    client.update_automation(mine.id, AutomationCore.model_validate(wanted.model_dump(exclude={"owner_resource"})))
    return "updated"


def _compared(automation: AutomationCore | Automation) -> dict[str, Any]:
    """An automation as it is compared: without what the server adds, and its sets in one order."""
    plain = AutomationCore.model_validate(automation.model_dump()).model_dump(mode="json")
    trigger = plain["trigger"]
    return {**plain, "trigger": {**trigger, **{name: sorted(trigger.get(name, ())) for name in _SETS}}}


def _deployment(client: SyncPrefectClient, name: str) -> str:
    try:
        return str(client.read_deployment_by_name(f"{name}/{name}").id)
    except ObjectNotFound:
        raise DeploymentMissing(
            f"the Prefect server has no deployment {name}/{name}. Save those of prefect.yaml: prefect deploy --all"
        ) from None


def notification_block(client: SyncPrefectClient, notify: str) -> str:
    """Id of a notification block, by its kind and name.

    Raises:
        BlockMissing: there is none, or it sends no messages.
    """
    kind, _, name = notify.partition("/")
    try:
        found = client.read_block_document_by_name(name, kind, include_secrets=False)
    except ObjectNotFound:
        raise BlockMissing(
            f"there is no block {notify}. Save one in the Prefect UI under Blocks, and name it as KIND/NAME: "
            "slipway automations set --notify slack-webhook/NAME"
        ) from None
    if found.block_schema is None or "notify" not in (found.block_schema.capabilities or ()):
        raise BlockMissing(f"the block {notify} sends no messages: name a notification block, as slack-webhook/NAME")
    return str(found.id)
