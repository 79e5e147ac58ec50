"""The form of a deployment in the Prefect UI: what is known as choices, and what is rarely needed last.

A choice refuses nothing: whatever is not among the known names can still be written, so that a droplet or a destination
that was added since needs no new form.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

KNOWN, ANOTHER = "known", "another"
FIRST = ("stack", "destination", "tag", "droplet", "droplets", "to", "promote", "strategy", "approval")
LAST = (
    *("services", "digest", "canary", "watch", "window", "wait", "env_file", "mirror_external", "cleanup_on_failure"),
    *("cause", "local", "lines"),
)


def form_with_choices(schema: Mapping[str, Any], known: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The schema of a deployment's parameters, with choices for those whose values are known.

    Args:
        schema: as Prefect makes it of the flow, or as this made it before.
        known: name of a parameter → the values that are offered; a parameter that is not named stays as it is.
    """
    form = copy.deepcopy(dict(schema))
    properties = form.get("properties") or {}
    for name, values in known.items():
        if name in properties:
            properties[name] = _offered(properties[name], values)
    for position, name in enumerate(sorted(properties, key=lambda name: _rank(name, properties[name]))):
        properties[name]["position"] = position
    return form


def _rank(name: str, shown: Mapping[str, Any]) -> tuple[int, int]:
    if name in FIRST:
        return 0, FIRST.index(name)
    return (2, LAST.index(name)) if name in LAST else (1, int(shown.get("position", 0)))


def _offered(shown: Mapping[str, Any], values: Sequence[str]) -> dict[str, Any]:
    """A parameter's schema with a variant more, which is a choice of these values."""
    rest = {name: said for name, said in shown.items() if name not in ("anyOf", "type", "items")}
    variants = shown.get("anyOf") or [{name: shown[name] for name in ("type", "items") if name in shown}]
    plain = [{k: v for k, v in one.items() if (k, v) != ("title", ANOTHER)} for one in variants if not _is_known(one)]
    if not values:
        return {**rest, **plain[0]} if len(plain) == 1 else {**rest, "anyOf": plain}
    nothing = [""] if rest.get("default") == "" else []
    choice = {"type": "string", "enum": [*nothing, *values]}
    many = any(one.get("type") == "array" for one in plain)
    first = {"title": KNOWN, **({"type": "array", "items": choice} if many else choice)}
    return {
        **rest,
        "anyOf": [first, *(one if one.get("type") == "null" else {**one, "title": ANOTHER} for one in plain)],
    }


def _is_known(variant: Mapping[str, Any]) -> bool:
    return variant.get("title") == KNOWN
