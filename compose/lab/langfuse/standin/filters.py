"""Filter conditions, as the `filter` of /v2/observations and the `filters` of /v2/metrics write them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]
ALIASES = {"model": "providedModelName", "traceTags": "tags", "traceRelease": "release", "traceVersion": "version"}
COLUMNS = {
    "id", "type", "name", "traceId", "startTime", "endTime", "environment", "level", "statusMessage", "version",
    "userId", "sessionId", "isRootObservation", "traceName", "tags", "latency", "timeToFirstToken", "totalCost",
    "providedModelName", "promptName", "promptVersion", "input", "output", "metadata", "release",
    "parentObservationId",
}  # fmt: skip


class BadFilterError(ValueError):
    """A condition that Langfuse would refuse, or that this stand-in does not know."""


def instant(text: Any) -> datetime:
    """An ISO 8601 time; without a zone it is UTC.

    Raises:
        BadFilterError: if it is none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise BadFilterError(f"{text!r} is not an ISO 8601 time") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


ORDER: dict[str, Callable[[Any, Any], bool]] = {
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
}
NUMBER = {"=": lambda a, b: a == b, **ORDER}
TEXT: dict[str, Callable[[str, str], bool]] = {
    "=": lambda a, b: a == b,
    "contains": lambda a, b: b in a,
    "does not contain": lambda a, b: b not in a,
    "starts with": lambda a, b: a.startswith(b),
    "ends with": lambda a, b: a.endswith(b),
    "matches": lambda a, b: b.lower() in a.lower(),
}
OPTIONS: dict[str, Callable[[Any, list[Any]], bool]] = {
    "any of": lambda a, b: a in b,
    "none of": lambda a, b: a not in b,
}
ARRAY: dict[str, Callable[[list[Any], list[Any]], bool]] = {
    "any of": lambda a, b: bool(set(a) & set(b)),
    "none of": lambda a, b: not set(a) & set(b),
    "all of": lambda a, b: set(b) <= set(a),
}
NULL = {"is null": lambda a, _: a is None, "is not null": lambda a, _: a is not None}
BOOLEAN = {"=": lambda a, b: a is b, "<>": lambda a, b: a is not b}
OPERATORS: dict[str, dict[str, Callable[[Any, Any], bool]]] = {
    "datetime": ORDER,
    "string": TEXT,
    "number": NUMBER,
    "stringOptions": OPTIONS,
    "categoryOptions": OPTIONS,
    "arrayOptions": ARRAY,
    "stringObject": TEXT,
    "numberObject": NUMBER,
    "boolean": BOOLEAN,
    "null": NULL,
}


def predicate(conditions: Any) -> Callable[[Json], bool]:
    """One function that says whether an observation meets all `conditions`.

    Raises:
        BadFilterError: naming the condition that is wrong, and why.
    """
    if not isinstance(conditions, list):
        raise BadFilterError("a filter is an array of conditions")
    checks = [_check(condition) for condition in conditions]
    return lambda observation: all(check(observation) for check in checks)


def _check(condition: Any) -> Callable[[Json], bool]:
    if not isinstance(condition, dict):
        raise BadFilterError(f"a condition is an object, not {condition!r}")
    kind, operator, value = (condition.get(key) for key in ("type", "operator", "value"))
    column = ALIASES.get(str(condition.get("column")), str(condition.get("column")))
    if column not in COLUMNS:
        raise BadFilterError(f"no column {column!r}")
    if kind not in OPERATORS or operator not in OPERATORS[kind]:
        raise BadFilterError(f"no operator {operator!r} for type {kind!r}")
    if kind != "null" and "value" not in condition:
        raise BadFilterError(f"the condition on {column!r} has no value")
    if kind in {"stringObject", "numberObject"} and "key" not in condition:
        raise BadFilterError(f"the condition on {column!r} has no key")
    compare = OPERATORS[kind][operator]
    if kind == "datetime":
        limit = instant(value)
        return lambda observation: compare(instant(observation[column]), limit)
    path = condition.get("key")

    def holds(observation: Json) -> bool:
        found = observation.get(column)
        if path is not None:
            found = _at(found or {}, str(path))
        if kind in {"string", "stringObject"} and found is not None:
            found = str(found)
        if found is None and kind not in {"null", "boolean"}:
            return operator in {"does not contain", "none of"}
        return compare(found, value)

    return holds


def _at(holder: Json, path: str) -> Any:
    """`a.b` as a key, or as the key `b` inside `a`: attribute names have dots in them."""
    if path in holder:
        return holder[path]
    for head, inner in holder.items():
        if isinstance(inner, dict) and path.startswith(f"{head}."):
            return _at(inner, path[len(head) + 1 :])
    return None
