"""Snapshots of droplets."""

from __future__ import annotations

from typing import Any

from .account import Answer
from .ask import Ask, Json, page
from .cloud import Cloud, now
from .errors import missing


def take(cloud: Cloud, parts: Any, droplet: Json, name: str) -> None:
    """Make one, for real."""
    id = str(cloud.new_id())
    size = parts.engine.snapshot(droplet.get("_container", ""), id)
    with cloud.lock:
        cloud.snapshots[id] = {
            "id": id, "name": name, "created_at": now(), "regions": [droplet["region"]["slug"]],
            "min_disk_size": droplet["disk"], "size_gigabytes": round(size / 1e9, 3),
            "resource_id": str(droplet["id"]), "resource_type": "droplet", "tags": [],
        }  # fmt: skip
        droplet["snapshot_ids"].append(int(id))


def list_snapshots(cloud: Cloud, _parts: Any, ask: Ask) -> Answer:
    """All; only of droplets there are any."""
    chosen = [] if ask.query.get("resource_type") == "volume" else list(cloud.snapshots.values())
    return 200, page(ask, "snapshots", chosen)


def get_snapshot(cloud: Cloud, _parts: Any, ask: Ask) -> Answer:
    """One snapshot."""
    if ask.parts["id"] not in cloud.snapshots:
        raise missing()
    return 200, {"snapshot": cloud.snapshots[ask.parts["id"]]}


def remove_snapshot(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """Remove one, for real."""
    with cloud.lock:
        snapshot = cloud.snapshots.pop(ask.parts["id"], None)
        if snapshot is None:
            raise missing()
        for droplet in cloud.droplets.values():
            droplet["snapshot_ids"] = [id for id in droplet["snapshot_ids"] if str(id) != snapshot["id"]]
    parts.engine.drop_snapshot(snapshot["id"])
    return 204, None


ROUTES = [
    ("GET", "/v2/snapshots", "snapshot:read", list_snapshots),
    ("GET", "/v2/snapshots/{id}", "snapshot:read block_storage_snapshot:read", get_snapshot),
    ("DELETE", "/v2/snapshots/{id}", "image:delete snapshot:delete", remove_snapshot),
]
