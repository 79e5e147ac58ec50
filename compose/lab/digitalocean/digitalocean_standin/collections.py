"""Garbage collections: read-only while they run, in the official steps."""

from __future__ import annotations

import threading
import time
import uuid
from typing import Any

from .account import Answer
from .ask import Ask, Json, page
from .cloud import Cloud, now
from .errors import ApiError, missing

ENDED = ("failed", "succeeded", "cancelled")


def _registry(cloud: Cloud, ask: Ask) -> str:
    if ask.parts["name"] not in cloud.registries:
        raise missing("registry not found")
    return ask.parts["name"]


def _active(cloud: Cloud, name: str) -> Json | None:
    return next((c for c in cloud.collections.get(name, []) if c["status"] not in ENDED), None)


def get_collection(cloud: Cloud, _parts: Any, ask: Ask) -> Answer:
    """The one under way."""
    active = _active(cloud, _registry(cloud, ask))
    if active is None:
        raise missing("no active garbage collection found")
    return 200, {"garbage_collection": active}


def list_collections(cloud: Cloud, _parts: Any, ask: Ask) -> Answer:
    """All, newest first."""
    return 200, page(ask, "garbage_collections", cloud.collections.get(_registry(cloud, ask), [])[::-1])


def collect(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """Begin one."""
    name = _registry(cloud, ask)
    with cloud.lock:
        if _active(cloud, name):
            raise ApiError(409, "a garbage collection is already active for this registry")
        collection: Json = {
            "uuid": str(uuid.uuid4()), "registry_name": name, "status": "requested", "created_at": now(),
            "updated_at": now(), "blobs_deleted": 0, "freed_bytes": 0,
        }  # fmt: skip
        cloud.collections.setdefault(name, []).append(collection)
    untagged = "untagged" in str(ask.body.get("type", ""))
    threading.Thread(target=_carry_out, args=(cloud, parts, collection, untagged), daemon=True).start()
    return 201, {"garbage_collection": dict(collection)}


def cancel(cloud: Cloud, _parts: Any, ask: Ask) -> Answer:
    """End it before it begins to delete. Raises ApiError: it is past that."""
    active = _active(cloud, _registry(cloud, ask))
    if active is None or active["uuid"] != ask.parts["uuid"]:
        raise missing("garbage collection not found")
    with cloud.lock:
        if ask.body.get("cancel") and active["status"] == "deleting unreferenced blobs":
            raise ApiError(409, "garbage collection can no longer be cancelled")
        if ask.body.get("cancel") and active["status"] not in ENDED:
            active["status"], active["updated_at"] = "cancelling", now()
    return 200, {"garbage_collection": dict(active)}


def _carry_out(cloud: Cloud, parts: Any, collection: Json, untagged: bool) -> None:
    name, pause = collection["registry_name"], float(cloud.settings["action_seconds"])

    def step(status: str) -> bool:
        with cloud.lock:
            if collection["status"] == "cancelling":
                return False
            collection["status"], collection["updated_at"] = status, now()
        time.sleep(pause)
        return True

    end = "succeeded"
    parts.registry.close(name)
    try:
        if step("waiting for write JWTs to expire"):
            longer = time.monotonic() + float(cloud.settings["collection_seconds"])
            while parts.registry.writers_left(name) or time.monotonic() < longer:
                if collection["status"] == "cancelling":
                    break
                time.sleep(0.1)
            if step("scanning manifests") and step("deleting unreferenced blobs"):
                collection["blobs_deleted"], collection["freed_bytes"] = parts.registry.collect(untagged)
    except Exception as error:
        print(f"garbage collection: {error}", flush=True)
        end = "failed"
    finally:
        parts.registry.open(name)  # before its end is told: who sees it may push
        with cloud.lock:
            collection["status"] = "cancelled" if collection["status"] == "cancelling" else end
            collection["updated_at"] = now()
