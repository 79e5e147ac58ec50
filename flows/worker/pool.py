"""The work pool of Slipway's deployments: made where it is missing, and what its runs may bring."""

import json
from importlib import resources
from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

from flows.core.errors import ConflictingOptions

KINDS = ("fork", "process")
# A run brings no command, no environment and no directory (docs/SECURITY.md).
CLOSED_TEMPLATE: dict[str, Any] = json.loads(resources.files("flows").joinpath("work-pool.json").read_text())


def ensure_pool(name: str, kind: str) -> bool:
    """Make the pool if there is none of this name; whether it was made. One that is there stays as it is.

    Raises:
        ConflictingOptions: its runs are not for a worker that starts processes.
    """
    with get_client(sync_client=True) as client:
        try:
            found = client.read_work_pool(name)
        except ObjectNotFound:
            try:
                client.create_work_pool(WorkPoolCreate(name=name, type=kind, base_job_template=CLOSED_TEMPLATE))
            except ObjectAlreadyExists:  # another worker was faster
                return False
            return True
    if found.type not in KINDS:
        raise ConflictingOptions(
            f"the work pool {name} is of the type {found.type}, whose runs start no processes on this machine. Name "
            f"another one with --pool, or start its own worker: prefect worker start --pool {name}"
        )
    return False
