"""The PromQL queries of the metric gates, and their results as values. No data is None, never zero.

Templates know `$colour` (green or blue), `$droplets` (a regular expression of the colour's droplet blocks), `$stack`
and `$window` (such as 30s). Health checks and scrapes are nobody's requests, so the default queries leave them out.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from string import Template

_SELECT = 'colour="$colour",path!~"/health|/metrics"'
REQUESTS = f"sum(increase(http_requests_total{{{_SELECT}}}[$window]))"
ERROR_RATE = (
    f'(sum(rate(http_requests_total{{{_SELECT},status=~"5.."}}[$window])) or vector(0))'
    f" / sum(rate(http_requests_total{{{_SELECT}}}[$window]))"
)
LATENCY = f"histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{{{_SELECT}}}[$window])))"
_SHORTEST = 5

Sample = tuple[dict[str, str], float]


@dataclass(frozen=True)
class Value:
    """One result and its query. `value` is None without data; `trouble` says why Prometheus could not be asked."""

    query: str
    value: float | None = None
    trouble: str = ""


@dataclass(frozen=True)
class Measured:
    """The metrics of one colour: requests in the window, the share that failed, the latency in seconds."""

    requests: Value
    error_rate: Value
    latency: Value


def expression(template: str, colour: str, droplets: Sequence[str], stack: str, window: float) -> str:
    """The query of a template for one colour.

    Args:
        window: seconds; one shorter than two scrapes would never hold data.
    """
    return Template(template).safe_substitute(
        colour=colour,
        droplets="|".join(map(re.escape, droplets)),
        stack=stack,
        window=f"{max(_SHORTEST, math.ceil(window))}s",
    )


def single(samples: Sequence[Sample]) -> float | None:
    """The value of an instant query; None for an empty result, NaN, or several series.

    0/0 is NaN to Prometheus: there was no request in the window.
    """
    if len(samples) != 1 or math.isnan(samples[0][1]):
        return None
    return samples[0][1]
