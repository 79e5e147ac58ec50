"""The deployments of an installed Slipway: what prefect.yaml says, with modules instead of files of a checkout."""

from collections.abc import Mapping, Sequence
from typing import Any

_PULL = "prefect.deployments.steps.set_working_directory"
# What is looked at to see whether a deployment is as the code says; schedules and triggers are compared by themselves.
COMPARED = (
    *("description", "entrypoint", "tags", "parameters", "version", "pull_steps", "work_pool_name"),
    "concurrency_limit",
)
_WHEN = ("cron", "interval", "rrule")


def module_entrypoint(entrypoint: str) -> str:
    """`flows/release.py:release` as Prefect names a module's flow: `flows.release.release`."""
    path, _, name = entrypoint.partition(":")
    return f"{path.removesuffix('.py').replace('/', '.')}.{name}"


def packaged_deployments(document: Mapping[str, Any], directory: str, version: str) -> list[dict[str, Any]]:
    """The deployments of prefect.yaml for an installed package.

    Args:
        document: prefect.yaml, read.
        directory: where runs work: what relative paths in their parameters start from.
        version: of the code.
    """
    pull = [{_PULL: {"directory": directory}}]
    return [
        {**one, "entrypoint": module_entrypoint(one["entrypoint"]), "version": version, "pull": pull}
        for one in document["deployments"]
    ]


def differing_fields(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """The fields of a deployment at the server that are not as wanted; COMPARED says which are looked at."""
    limit = found.get("global_concurrency_limit") or {}
    there = {**found, "concurrency_limit": limit.get("limit")}
    asked = {
        **wanted,
        "parameters": wanted.get("parameters", {}),
        "pull_steps": wanted["pull"],
        "work_pool_name": wanted["work_pool"]["name"],
        "concurrency_limit": wanted["concurrency_limit"]["limit"],
    }
    differ = [name for name in COMPARED if asked.get(name) != there.get(name)]
    whens = {_when(one) for one in found.get("schedules", ())}
    return differ + ["schedules"] * (not {_when(one) for one in wanted.get("schedules", ())} <= whens)


def keep_switched_on(wanted: Mapping[str, Any], found: Mapping[str, Any], enabled: Sequence[str]) -> dict[str, Any]:
    """The deployment as wanted, with what somebody switched on at the server: our schedules and triggers, and their
    own schedules.

    Args:
        found: the deployment as it is at the server.
        enabled: names of its automations that are on.
    """
    active = [one for one in found.get("schedules", ()) if one.get("active")]
    on = {_when(one) for one in active}
    ours = [{**one, "active": one["active"] or _when(one) in on} for one in wanted.get("schedules", ())]
    known = {_when(one) for one in ours}
    kept = dict(wanted)
    if schedules := [*ours, *(_as_written(one) for one in active if _when(one) not in known)]:
        kept["schedules"] = schedules
    if triggers := wanted.get("triggers"):
        kept["triggers"] = [{**one, "enabled": one["enabled"] or one["name"] in enabled} for one in triggers]
    return kept


def _when(schedule: Mapping[str, Any]) -> tuple[str, str]:
    inner = schedule.get("schedule", schedule)
    return str(next((inner[key] for key in _WHEN if inner.get(key)), "")), str(inner.get("timezone") or "UTC")


def _as_written(schedule: Mapping[str, Any]) -> dict[str, Any]:
    """A schedule of the API as prefect.yaml writes it."""
    inner = {key: value for key, value in schedule["schedule"].items() if value is not None}
    beside = {key: schedule[key] for key in ("active", "parameters", "slug") if schedule.get(key)}
    return {**inner, **beside}
