"""Tags of droplets and snapshots."""

from __future__ import annotations

from typing import Any

from .account import Answer
from .ask import Ask, Json
from .balancers import follow
from .cloud import Cloud
from .errors import missing


def tag(name: str) -> Json:
    """A tag in the official form; nobody asks for its counts."""
    return {"name": name, "resources": {"count": 0}}


def create_tag(cloud: Cloud, _parts: Any, ask: Ask) -> Answer:
    """Make one; twice is fine."""
    [name] = ask.need("name")
    cloud.tags.add(name)
    return 201, {"tag": tag(name)}


def get_tag(cloud: Cloud, _parts: Any, ask: Ask) -> Answer:
    """One tag."""
    if ask.parts["name"] not in cloud.tags:
        raise missing()
    return 200, {"tag": tag(ask.parts["name"])}


def _change(cloud: Cloud, parts: Any, ask: Ask, give: bool) -> Answer:
    name = ask.parts["name"]
    [resources] = ask.need("resources")
    with cloud.lock:
        if name not in cloud.tags:
            raise missing("The tag could not be found.")
        for resource in resources:
            id, kind = resource["resource_id"], resource["resource_type"]
            thing = cloud.droplets.get(int(id)) if kind == "droplet" else cloud.snapshots.get(id)
            if thing is None:
                raise missing(f"{kind} {id} could not be found.")
            thing["tags"] = sorted({*thing["tags"], name} if give else set(thing["tags"]) - {name})
    follow(cloud, parts)
    return 204, None


def assign(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """Give it."""
    return _change(cloud, parts, ask, True)


def unassign(cloud: Cloud, parts: Any, ask: Ask) -> Answer:
    """Take it."""
    return _change(cloud, parts, ask, False)


ROUTES = [
    ("POST", "/v2/tags", "tag:create", create_tag),
    ("GET", "/v2/tags/{name}", "tag:read", get_tag),
    ("POST", "/v2/tags/{name}/resources", "tag:create", assign),
    ("DELETE", "/v2/tags/{name}/resources", "tag:delete", unassign),
]
