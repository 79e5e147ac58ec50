"""The statistics of few observations: the interval of a share, and percentiles. No data is None, never zero."""

import math
import statistics
from collections.abc import Sequence

# Of the standard normal distribution, two-sided 95 %.
_Z = statistics.NormalDist().inv_cdf(0.975)
_ENOUGH_MOST = 100_000
Interval = tuple[float, float]


def wilson_interval(hits: int, count: int) -> Interval | None:
    """The 95 % interval of a share by Wilson's score, without correction for continuity; None without observations.

    Source: E. B. Wilson, JASA 22 (1927) 209; R. G. Newcombe, Statistics in Medicine 17 (1998) 857, method 3.
    """
    if count <= 0:
        return None
    share, square = hits / count, _Z * _Z
    middle = share + square / (2 * count)
    half = _Z * math.sqrt(share * (1 - share) / count + square / (4 * count * count))
    low, high = (middle - half) / (1 + square / count), (middle + half) / (1 + square / count)
    return (0.0 if hits <= 0 else max(0.0, low)), (1.0 if hits >= count else min(1.0, high))


def median(values: Sequence[float]) -> float | None:
    """The median; None without values."""
    return statistics.median(values) if values else None


def percentile_95(values: Sequence[float]) -> float | None:
    """The smallest value that 95 % of the values do not exceed (nearest rank); None without values."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1] if values else None


def unbroken_run(threshold: float, *, at_most: bool = False) -> int | None:
    """How many observations, all of them well, put the whole interval beyond a threshold; None: no number does.

    Args:
        threshold: a share.
        at_most: the share must not exceed it, so that well means a share of 0.
    """
    wanted = 1 - threshold if at_most else threshold
    if wanted >= 1:
        return None
    if wanted <= 0:
        return 1
    # With all of n well, the lower end is n / (n + z²).
    found = math.ceil(round(wanted * _Z * _Z / (1 - wanted), 9))
    return found if found <= _ENOUGH_MOST else None
