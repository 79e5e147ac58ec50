"""What is told of two made stacks: `shop`, which had a good week, and `ill`, of which every alert has to tell."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Lock

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from flows.core.insight.drift import DriftFinding
from flows.core.insight.metrics.droplet import DropletLook
from flows.core.insight.metrics.families import DropletFacts, MetricFacts, metrics
from flows.core.records.history import History
from tests.support.builders import release
from tests.support.records.history import MadeHistory

VERSIONS = {"version": "1.2.3"}


def shop(history: History, at: datetime) -> list[Metric]:
    """A stack on one droplet whose history is this one."""
    look = DropletLook(history, release(tag="v20", commit="c" * 40))
    facts = DropletFacts("green", look, at.timestamp(), drift=(), drifted=at.timestamp())
    return metrics(MetricFacts("shop", "production", True, {"green": facts}, ("green",)), VERSIONS)


class Shop(Collector):
    """The same, as it stands now."""

    def __init__(self, history: History) -> None:
        self.history = history

    def collect(self) -> Iterable[Metric]:
        return shop(self.history, datetime.now(UTC))


class Ill(Collector):
    """A stack with which nothing is well, and at each scrape it gets worse."""

    def __init__(self) -> None:
        self._made = MadeHistory(datetime.now(UTC) - timedelta(days=40))
        self._made.deploy("v0")
        self._number, self._lock = 0, Lock()

    def collect(self) -> Iterable[Metric]:
        with self._lock:
            self._number += 1
            made = self._made
            made.deploy(f"bad{self._number}", good=False, reason="it failed", pull=500)
            made.roll_back("v0", good=False)
            made.deploy(f"odd{self._number}", pull=500)
            made.promote(passes=False)
            made.fails_afterwards()
            history = replace(made.history, damaged=("000001.json",))
        look = DropletLook(history, release(tag="v0"), locked=True)
        drift = (DriftFinding("files", "changed by hand: x"),)
        droplets = {"green": DropletFacts("green", look, 1.0, drift, 1.0), "blue": DropletFacts("blue")}
        return metrics(MetricFacts("ill", "", False, droplets, ("green",), {"blue": 20, "green": 80}), VERSIONS)
