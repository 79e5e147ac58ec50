"""The work pool of Slipway's deployments: made where it is missing, and what its runs may bring."""

import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

from flows.core.errors import ConflictingOptions

DOCKER = "docker"
# A worker of one of these takes the runs of a pool of the other.
KINDS = ("fork", "process")
# A run brings no command, no environment and no directory (docs/SECURITY.md).
CLOSED_TEMPLATE: dict[str, Any] = json.loads(resources.files("flows").joinpath("work-pool.json").read_text())


@dataclass(frozen=True)
class Containers:
    """What the containers of a Docker pool have: image, networks, volumes, and groups besides that of their user."""

    image: str = ""
    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


def docker_template(containers: Containers) -> dict[str, Any]:
    """The job template of a Docker pool. It stands in the pool, where no run can change it."""
    made: dict[str, Any] = json.loads(resources.files("flows").joinpath("work-pool-docker.json").read_text())
    job = made["job_configuration"]
    job["image"] = containers.image or job["image"]
    job["volumes"] = list(containers.volumes)
    if "host" in containers.networks:  # Prefect then leaves an address of this machine's loopback as it is
        job["network_mode"] = "host"
    else:
        job["networks"] = list(containers.networks)
    if containers.groups:
        job["container_create_kwargs"]["group_add"] = list(containers.groups)
    return made


def ensure_pool(name: str, kind: str, containers: Containers | None = None) -> bool:
    """Make the pool if there is none of this name; whether it was made. One that is there stays as it is.

    Args:
        containers: of a Docker pool that is made.

    Raises:
        ConflictingOptions: its runs are for another kind of worker.
    """
    template = docker_template(containers or Containers()) if kind == DOCKER else CLOSED_TEMPLATE
    with get_client(sync_client=True) as client:
        try:
            found = client.read_work_pool(name)
        except ObjectNotFound:
            try:
                client.create_work_pool(WorkPoolCreate(name=name, type=kind, base_job_template=template))
            except ObjectAlreadyExists:  # another worker was faster
                return False
            return True
    if found.type != kind and not {found.type, kind} <= {*KINDS}:
        start = "slipway worker --type docker" if found.type == DOCKER else "prefect worker start"
        raise ConflictingOptions(
            f"the work pool {name} is of the type {found.type}, whose runs are not for a worker of the type {kind}. "
            f"Name another one with --pool, or start its own worker: {start} --pool {name}"
        )
    return False
