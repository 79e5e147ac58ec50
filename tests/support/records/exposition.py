"""Metrics as OpenMetrics, at many moments: what promtool makes blocks of."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.openmetrics.exposition import generate_latest


def over_time(told: Iterable[tuple[float, list[Metric]]]) -> str:
    """The metrics of each moment (seconds since the epoch), sample by sample with its time."""
    families: dict[str, Metric] = {}
    for at, metrics in told:
        for metric in metrics:
            samples = [sample._replace(timestamp=at) for sample in metric.samples]
            known = families.setdefault(metric.name, metric)
            known.samples = samples if known is metric else [*known.samples, *samples]
    # One series after the other, each in the order of time.
    for metric in families.values():
        metric.samples.sort(key=lambda sample: (sorted(sample.labels.items()), sample.name, sample.timestamp))
    return generate_latest(_of(list(families.values()))).decode()


def _of(metrics: list[Metric]) -> CollectorRegistry:
    class Made:
        def collect(self) -> list[Metric]:
            return metrics

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Made())
    return registry
