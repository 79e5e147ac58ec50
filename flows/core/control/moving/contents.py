"""What is carried from one Prefect server to another: of each kind the fields that its API takes back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.core.errors import BadExport

VERSION = 1
# In the order in which they are made: each may name what stands before it.
FIELDS: dict[str, tuple[str, ...]] = {
    "block_types": ("name", "slug", "logo_url", "documentation_url", "description", "code_example"),
    "block_schemas": ("checksum", "fields", "capabilities", "version", "block_type_id"),
    "blocks": ("name", "data", "block_schema_id", "block_type_id", "block_type", "references"),
    "work_pools": ("name", "description", "type", "base_job_template", "is_paused", "concurrency_limit"),
    "work_queues": (
        *("name", "description", "is_paused", "concurrency_limit", "priority"),
        "work_pool_name",
    ),
    "concurrency_limits": ("name", "limit", "active", "slot_decay_per_second"),
    "tag_limits": ("tag", "concurrency_limit"),
    "variables": ("name", "value", "tags"),
    "flows": ("name", "tags", "labels"),
    "deployments": (
        *("name", "flow_id", "paused", "schedules", "concurrency_limit", "concurrency_options"),
        *("enforce_parameter_schema", "parameter_openapi_schema", "parameters", "tags", "labels", "pull_steps"),
        *("work_queue_name", "work_pool_name", "description", "path", "version", "entrypoint", "job_variables"),
    ),
    "automations": (
        *("name", "description", "enabled", "tags", "trigger", "actions", "actions_on_trigger", "actions_on_resolve"),
        "owner_resource",
    ),
    "runs": ("name", "flow_id", "deployment_id", "flow_version", "parameters", "tags", "labels", "state"),
    "artifacts": ("key", "type", "description", "data", "metadata_", "flow_run_id"),
}
FINAL = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
_SCHEDULE = ("active", "schedule", "max_scheduled_runs", "parameters", "slug")
# A limit of this name is a deployment's own, and made with it.
_OF_A_DEPLOYMENT = "deployment:"
_IMPORTED = "slipway.imported"


@dataclass
class Contents:
    """What was read from a server.

    Attributes:
        kinds: a kind of FIELDS → its things, each with the `id` that it had.
        left: what is not carried, as sentences.
    """

    kinds: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return ", ".join(f"{len(things)} {kind.replace('_', ' ')}" for kind, things in self.kinds.items() if things)


def kept(kind: str, found: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Of each thing, as the server describes it, what is carried."""
    return [one for thing in found if (one := _kept_one(kind, thing))]


def _kept_one(kind: str, thing: Mapping[str, Any]) -> dict[str, Any]:
    one = {name: thing[name] for name in FIELDS[kind] if thing.get(name) is not None}
    one["id"] = str(thing.get("id"))
    if kind == "blocks":
        if thing.get("is_anonymous"):
            return {}
        one["block_type"] = str((thing.get("block_type") or {}).get("slug", ""))
        one["references"] = {
            name: str(inner["block_document"]["id"]) for name, inner in thing["block_document_references"].items()
        }
        one["data"] = {name: value for name, value in one["data"].items() if name not in one["references"]}
    if kind == "concurrency_limits" and one["name"].startswith(_OF_A_DEPLOYMENT):
        return {}
    if kind == "deployments":
        one["schedules"] = [
            {key: when[key] for key in _SCHEDULE if when.get(key) is not None} for when in one.get("schedules", ())
        ]
        one["concurrency_limit"] = (thing.get("global_concurrency_limit") or {}).get("limit")
    if kind == "artifacts" and not one.get("flow_run_id"):
        return {}
    return _kept_run(one, thing) if kind == "runs" else one


def _kept_run(one: dict[str, Any], thing: Mapping[str, Any]) -> dict[str, Any]:
    """A run that ended: its times, which the API sets itself, go into labels."""
    state = thing.get("state") or {}
    if state.get("type") not in FINAL:
        return {}
    one["state"] = {key: state.get(key) for key in ("type", "name", "message")}
    times = {f"slipway.{name}": str(thing[name]) for name in ("start_time", "end_time") if thing.get(name)}
    one["labels"] = {**times, _IMPORTED: True, **one.get("labels", {})}
    # Of two imports of the same run the second makes none.
    one["idempotency_key"] = f"imported {one['id']}"
    return one


def without_loose_ends(contents: Contents) -> Contents:
    """The contents, in which nothing belongs to what was deleted before."""
    kinds = dict(contents.kinds)
    flows, deployments = ({one["id"] for one in kinds[kind]} for kind in ("flows", "deployments"))
    kinds["runs"] = [
        one if one.get("deployment_id") in deployments else {k: v for k, v in one.items() if k != "deployment_id"}
        for one in kinds["runs"]
        if one["flow_id"] in flows
    ]
    runs = {one["id"] for one in kinds["runs"]}
    kinds["artifacts"] = [one for one in kinds["artifacts"] if one["flow_run_id"] in runs]
    return Contents(kinds, contents.left)


def deployments_started(automation: Mapping[str, Any]) -> set[str]:
    """The ids of the deployments that an automation starts."""
    return {str(action["deployment_id"]) for action in automation["actions"] if action.get("deployment_id")}


def with_owners(contents: Contents, triggers: Mapping[str, Iterable[str]]) -> Contents:
    """The contents, in which an automation that is a deployment's trigger belongs to it: the API does not tell.

    Args:
        triggers: name of a deployment → those of its triggers.
    """
    of = {one["id"]: set(triggers.get(one["name"], ())) for one in contents.kinds["deployments"]}
    automations = [
        one | {"owner_resource": f"prefect.deployment.{owner}"} if owner else one
        for one in contents.kinds["automations"]
        for owner in [next((id_ for id_ in deployments_started(one) if one["name"] in of.get(id_, ())), "")]
    ]
    return Contents({**contents.kinds, "automations": automations}, contents.left)


def contents_document(contents: Contents) -> dict[str, Any]:
    """The contents as JSON takes them."""
    return {"slipway_control_plane": VERSION, "kinds": contents.kinds}


def read_contents(document: Any) -> Contents:
    """The contents of an export.

    Raises:
        BadExport: it is none, or of a newer version.
    """
    version = document.get("slipway_control_plane") if isinstance(document, dict) else None
    if type(version) is not int or version < 1:
        raise BadExport("what the file holds is no export of a control plane. Nothing was changed")
    if version > VERSION:
        raise BadExport(f"the export is of version {version}, this Slipway reads {VERSION}. Nothing was done")
    kinds = document.get("kinds")
    if not isinstance(kinds, dict):
        raise BadExport("the export names no kinds. Nothing was changed")
    read: dict[str, list[dict[str, Any]]] = {}
    for kind in FIELDS:
        things = kinds.get(kind, [])
        if not isinstance(things, list) or not all(isinstance(one, dict) and "id" in one for one in things):
            raise BadExport(f"the export's {kind} are no list of things with ids. Nothing was changed")
        read[kind] = things
    return Contents(read)
