"""The account, and its actions."""

from __future__ import annotations

from typing import Any

from .ask import Ask, Json, page
from .cloud import Cloud
from .errors import missing

Answer = tuple[int, Any]


def get_account(cloud: Cloud, _parts: Any, _ask: Ask) -> Answer:
    """Whose it is and what it may."""
    return 200, {"account": {
        "droplet_limit": cloud.settings["droplet_limit"], "floating_ip_limit": 5,
        "reserved_ip_limit": cloud.settings["reserved_ip_limit"],
        "email": "lab@slipway.dev", "name": "The lab", "uuid": "b6fr89dbf6d9156cace5f3c78dc9851d957381ef",
        "email_verified": True, "status": cloud.settings["status"],
        "status_message": cloud.settings["status_message"],
        "team": {"uuid": "5df3e3004a17e242b7c20ca6c9fc25b701a47ece", "name": "lab"},
    }}  # fmt: skip


def shown(action: Json) -> Json:
    """An action without what is only for the lab."""
    return {name: value for name, value in action.items() if name != "why"}


def list_actions(cloud: Cloud, _parts: Any, ask: Ask) -> Answer:
    """All actions, newest first."""
    return 200, page(ask, "actions", [shown(a) for a in reversed(cloud.actions.values())])


def get_action(cloud: Cloud, _parts: Any, ask: Ask) -> Answer:
    """One action."""
    action = cloud.actions.get(ask.number("id"))
    if action is None:
        raise missing()
    return 200, {"action": shown(action)}


ROUTES = [
    ("GET", "/v2/account", "account:read", get_account),
    ("GET", "/v2/actions", "actions:read", list_actions),
    ("GET", "/v2/actions/{id}", "actions:read", get_action),
]
