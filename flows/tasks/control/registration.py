"""What a Prefect server needs of Slipway: block types, work pool and deployments, where they are missing or differ."""

import json
import os
from abc import ABC
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

import blocks
from flows.api.client import PrefectApi
from flows.api.connection import ApiConnection
from flows.core.control.server import POOL
from flows.tasks.control.deployments import deploy_all

Say = Callable[[str], None]


def register_all(say: Say, repository: Path, connection: ApiConnection) -> None:
    """Register what is missing or differs, and say each change.

    Args:
        say: is told one sentence a change.
        repository: where runs work; on the workers' machine.
        connection: to the server.

    Raises:
        NotDeployed, and what the API's client raises.
    """
    with PrefectApi(connection) as api:
        _register_kinds(api, connection, say)
    reach = {"PREFECT_API_URL": connection.url, "PREFECT_API_AUTH_STRING": connection.auth_string}
    deployed = deploy_all(repository, {**os.environ, **reach}, connection)
    if deployed.created or deployed.updated:
        say(f"Deployments: {deployed}.")


def _register_kinds(api: PrefectApi, connection: ApiConnection, say: Say) -> None:
    """Block types and the work pool."""
    kinds = [kind for name in blocks.__all__ if ABC not in (kind := getattr(blocks, name)).__bases__]
    missing = [
        kind for kind in kinds if api.get(f"/block_schemas/checksum/{kind._calculate_schema_checksum()}") is None
    ]
    if missing:
        login = {PREFECT_API_AUTH_STRING: connection.auth_string}
        with temporary_settings({PREFECT_API_URL: connection.url, **login}):
            for kind in missing:
                kind.register_type_and_schema()
        say(f"Registered {len(missing)} block types.")
    if api.get(f"/work_pools/{POOL}") is None:
        template = json.loads(resources.files("flows").joinpath("work-pool.json").read_text())
        api.post("/work_pools/", {"name": POOL, "type": "process", "base_job_template": template})
        say(f"Made the work pool {POOL}, in which a run brings nothing of its own.")
