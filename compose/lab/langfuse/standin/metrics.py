"""Aggregates for /api/public/v2/metrics: group, measure, order, cut."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import timedelta
from typing import Any

from .filters import BadFilterError, instant, predicate
from .otlp import iso

Json = dict[str, Any]
DIMENSIONS = {
    "environment", "type", "name", "level", "version", "tags", "release", "traceName", "traceRelease",
    "traceVersion", "providedModelName", "promptName", "promptVersion", "isRootObservation", "startTimeMonth",
}  # fmt: skip
MEASURES = {"count": lambda _: 1, "latency": lambda o: o["latency"] * 1000}
PERCENTILES = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99}
STEPS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


def answer(query: Any, observations: list[Json]) -> list[Json]:
    """The rows that `query` asks of `observations`.

    Raises:
        BadFilterError: for a query Langfuse would refuse, or a view or measure that this stand-in lacks.
    """
    if not isinstance(query, dict) or query.get("view") != "observations":
        raise BadFilterError("this stand-in has the view 'observations' only")
    start, end = instant(query.get("fromTimestamp")), instant(query.get("toTimestamp"))
    if end <= start:
        raise BadFilterError("toTimestamp must be after fromTimestamp")
    metrics = [_metric(metric) for metric in query.get("metrics") or []]
    if not metrics:
        raise BadFilterError("at least one metric is needed")
    dimensions = [_dimension(dimension) for dimension in query.get("dimensions") or []]
    wanted = predicate(query.get("filters") or [])
    step = _step((query.get("timeDimension") or {}).get("granularity"))

    groups: dict[tuple[Any, ...], list[Json]] = defaultdict(list)
    for observation in observations:
        moment = instant(observation["startTime"])
        if start <= moment < end and wanted(observation):
            bucket = [iso(start + step * ((moment - start) // step))] if step else []
            groups[*bucket, *(_group(observation, name) for name in dimensions)].append(observation)
    if not groups and not dimensions and not step:
        groups[()] = []  # a question without groups has one answer, also over nothing

    names = (["time_dimension"] if step else []) + dimensions
    rows = [
        dict(zip(names, key, strict=True)) | {f"{how}_{what}": _aggregate(what, how, found) for what, how in metrics}
        for key, found in groups.items()
    ]
    return _ordered(rows, query.get("orderBy") or [])[: _row_limit(query)]


def _metric(metric: Json) -> tuple[str, str]:
    measure, aggregation = metric.get("measure"), metric.get("aggregation")
    if measure not in MEASURES:
        raise BadFilterError(f"this stand-in does not measure {measure!r}")
    if aggregation not in {"sum", "avg", "count", "max", "min", *PERCENTILES}:
        raise BadFilterError(f"this stand-in does not aggregate by {aggregation!r}")
    return measure, aggregation


def _dimension(dimension: Json) -> str:
    name = dimension.get("field")
    if name not in DIMENSIONS:
        raise BadFilterError(f"{name!r} cannot be grouped by; use it in a filter")
    return str(name)


def _step(granularity: str | None) -> timedelta | None:
    if granularity is not None and granularity not in STEPS:
        raise BadFilterError(f"this stand-in has no granularity {granularity!r}")
    return STEPS[granularity] if granularity else None


def _group(observation: Json, name: str) -> Any:
    if name == "startTimeMonth":
        return observation["startTime"][:7]
    value = observation[{"traceRelease": "release", "traceVersion": "version"}.get(name, name)]
    return ",".join(value) if isinstance(value, list) else value


def _aggregate(measure: str, how: str, observations: list[Json]) -> float | int | None:
    if how == "count":
        return len(observations)
    values = sorted(MEASURES[measure](observation) for observation in observations)
    if how == "sum":
        return sum(values)
    if not values:
        return None
    if how in PERCENTILES:
        return values[max(0, math.ceil(PERCENTILES[how] * len(values)) - 1)]
    return {"avg": sum(values) / len(values), "max": values[-1], "min": values[0]}[how]


def _ordered(rows: list[Json], order: list[Json]) -> list[Json]:
    for rule in reversed(order):
        field = rule.get("field")
        if rows and field not in rows[0]:
            raise BadFilterError(f"no field {field!r} to order by")
        rows.sort(key=lambda row: (row[field] is not None, row[field]), reverse=rule.get("direction") == "desc")
    return rows


def _row_limit(query: Json) -> int:
    limit = (query.get("config") or {}).get("row_limit", 100)
    if not isinstance(limit, int) or not 1 <= limit <= 1000:
        raise BadFilterError("row_limit is a number from 1 to 1000")
    return limit
