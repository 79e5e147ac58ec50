"""The Prefect server that a command in a terminal uses, and how patiently."""

import os
from contextlib import AbstractContextManager
from typing import Any


def api_url() -> str:
    """The Prefect API that is used: the configured one, else that of a server on this machine."""
    from prefect.settings import get_current_settings

    from flows.api.connection import LOCAL_API

    return get_current_settings().api.url or LOCAL_API


def prefect_settings() -> AbstractContextManager[Any]:
    """No ephemeral server, which takes half a minute; fewer tries for a server that went away, because somebody waits;
    and no heartbeat thread, for which every sync flow waits up to a second at its end (a run in a terminal has
    somebody who sees that it ended)."""
    from prefect.settings import (
        PREFECT_API_URL,
        PREFECT_CLIENT_MAX_RETRIES,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        temporary_settings,
    )

    fewer: dict[Any, Any] = {PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}
    if "PREFECT_CLIENT_MAX_RETRIES" not in os.environ:  # somebody said how patient to be
        fewer[PREFECT_CLIENT_MAX_RETRIES] = 3
    return temporary_settings({PREFECT_API_URL: api_url(), **fewer})
