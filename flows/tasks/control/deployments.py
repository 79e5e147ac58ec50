"""Registers Slipway's deployments with the Prefect server: what is missing or differs, by `prefect deploy`."""

import hashlib
import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from flows.api.client import PrefectApi
from flows.api.connection import ApiConnection
from flows.core.control.deployments import differing_fields, keep_switched_on, packaged_deployments
from flows.core.errors import NotDeployed
from flows.settings.files import known_destinations
from flows.tasks.control.forms import offer_choices
from flows.tasks.private_directory import private_directory

TIMEOUT_S = 300
_PAGE = 200
_LAST_LINES = 15


@dataclass(frozen=True)
class DeploymentChanges:
    """What registering did, by names of deployments."""

    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()

    def __str__(self) -> str:
        kinds = (("created", self.created), ("updated", self.updated))
        told = [f"{len(names)} {kind} ({', '.join(names)})" for kind, names in kinds if names]
        return "; ".join([*told, f"{len(self.unchanged)} unchanged"])


def deploy_all(
    directory: Path, environ: Mapping[str, str] | None = None, connection: ApiConnection | None = None
) -> DeploymentChanges:
    """Register every deployment of prefect.yaml with the server that is configured here, and change only what differs.

    Schedules and triggers that somebody switched on stay on; deployments of others are not touched.

    Args:
        directory: where runs work; it has to be there on the worker's machine.
        environ: of `prefect deploy`; default: this process's.
        connection: to the server that `environ` leads to; default: the one that is configured here.

    Raises:
        NotDeployed: Prefect refused, or took too long.
    """
    wanted = packaged_deployments(packaged_document(), str(directory), code_version())
    created, updated, unchanged, changed = [], [], [], []
    with PrefectApi(connection) as api:
        found = _registered(api)
        for one in wanted:
            there = found.get(one["name"])
            if there is None:
                created.append(one["name"])
                changed.append(one)
            elif differing_fields(one, there):
                updated.append(one["name"])
                changed.append(keep_switched_on(one, there, _enabled_triggers(api, there["id"])))
            else:
                unchanged.append(one["name"])
    if changed:
        _deploy(changed, os.environ if environ is None else environ)
    with PrefectApi(connection) as api:
        names = known_destinations(str(directory))
        offer_choices(api, [one["id"] for name, one in _registered(api).items() if name in _names(wanted)], names)
    return DeploymentChanges(tuple(created), tuple(updated), tuple(unchanged))


def renew_choices() -> None:
    """Let the forms of our deployments offer the droplets that are saved now. Raises what Prefect's API does."""
    with PrefectApi() as api:
        offer_choices(api, [one["id"] for one in _registered(api).values()])


def _names(deployments: Sequence[Mapping[str, Any]]) -> set[str]:
    return {one["name"] for one in deployments}


def packaged_document() -> dict[str, Any]:
    """prefect.yaml as it came with the package."""
    return dict(yaml.safe_load(resources.files("flows").joinpath("prefect.yaml").read_text()))


def code_version() -> str:
    """The package's version and a hash over its code: what a deployment's form is made from."""
    code = hashlib.sha256()
    for package in ("flows", "blocks"):
        root = Path(str(resources.files(package)))
        for path in sorted(root.rglob("*.py")):
            code.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return f"{importlib.metadata.version('slipway')}+{code.hexdigest()[:12]}"


def _registered(api: PrefectApi) -> dict[str, dict[str, Any]]:
    """The deployments of ours at the server: those that are named as their flow, with our tag."""
    found: dict[str, dict[str, Any]] = {}
    for offset in range(0, 100 * _PAGE, _PAGE):
        page = api.post(
            "/deployments/filter",
            {"offset": offset, "limit": _PAGE, "deployments": {"tags": {"all_": ["slipway"]}}, "sort": "NAME_ASC"},
        )
        for one in page or ():
            if str(one.get("entrypoint", "")).startswith(("flows.", "flows/")):
                found[one["name"]] = one
        if len(page or ()) < _PAGE:
            break
    return found


def _enabled_triggers(api: PrefectApi, deployment_id: str) -> list[str]:
    owned = api.get(f"/automations/related-to/prefect.deployment.{deployment_id}") or ()
    return [one["name"] for one in owned if one.get("enabled")]


def _deploy(deployments: list[dict[str, Any]], environ: Mapping[str, str]) -> None:
    with private_directory("deployments") as place:
        file = Path(place) / "prefect.yaml"
        file.write_text(yaml.safe_dump({"name": "slipway", "deployments": deployments}, allow_unicode=True))
        argv = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(file)]
        try:
            done = subprocess.run(  # noqa: S603 — our own Python, no shell
                argv, cwd=place, env=dict(environ), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=TIMEOUT_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise NotDeployed(f"`prefect deploy` did not end within {TIMEOUT_S} s. Try again") from None
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-_LAST_LINES:])
        raise NotDeployed(f"`prefect deploy` ended with {done.returncode}. Its last lines:\n{last}")
