"""`slipway metrics`: droplets are asked at each scrape, at most once in a while, and the scrape waits only so long."""

import platform
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata
from socketserver import ThreadingMixIn
from typing import Any, ClassVar
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from flows.api.client import PrefectApi
from flows.core.errors import SlipwayError
from flows.core.insight.drift import DropletDrift, drift_script, read_drift
from flows.core.insight.metrics.droplet import DropletLook, metrics_script, read_metrics_look
from flows.core.insight.metrics.families import DropletFacts, MetricFacts, metrics
from flows.looking.looked import LookAnswer, Looked
from flows.looking.places import LookedAt, find_places
from flows.looking.traffic import Traffic, read_traffic
from flows.settings import Settings
from flows.tasks.runs.log_masking import mask

Tell = Callable[[str], None]
Droplet = tuple[LookedAt, Looked[DropletLook], Looked[DropletDrift] | None]
_LOOK_S, _DRIFT_S = 30.0, 120.0


class DropletMetrics(Collector):
    """Collects the metrics of a stack.

    Args:
        stack: the whole stack's name.
        age: seconds for which what was found is told again.
        patience: seconds that one collecting waits for those that are asked.
        drift_every: seconds between two looks for drift, which take longer, and which no collecting waits for; 0: none.
        wait_for_drift: wait for these, too.
        tell: is given a sentence when something stops answering, and when it answers again.
    """

    def __init__(
        self, api: PrefectApi, stack: str, settings: Settings, tell: Tell, *, age: float, patience: float,
        drift_every: float, wait_for_drift: bool = False,
    ) -> None:  # fmt: skip
        self.stack, self.settings = stack, settings
        self._tell, self._age, self._patience = tell, age, patience
        self._drift_every, self._wait_for_drift = drift_every, wait_for_drift
        self._places = Looked(lambda: find_places(api, stack, settings.shown, settings), age)
        asked = bool(settings.switch or settings.active_url)
        self._traffic = Looked(lambda: read_traffic(api, settings), age) if asked else None
        self._droplets: dict[str, Droplet] = {}
        self._troubled: set[str] = set()

    def collect(self) -> Iterable[Metric]:
        """Every metric of which something is known, as prometheus_client asks for them."""
        asked = time.monotonic()
        deadline = asked + self._patience
        # Droplets that are known are asked at once: Prefect's API may be away.
        self._begin(asked)
        places = self._places.newest(deadline)
        if places and places.found is not None:
            self._know(places.found.items())
            self._begin(asked)
        self._note("Prefect's API", places)
        traffic = self._traffic.newest(deadline) if self._traffic else None
        said = traffic.found if traffic and traffic.found else Traffic()
        facts = MetricFacts(
            self.stack,
            self.settings.destination,
            places is not None and places.found is not None,
            {name: self._facts(name, *droplet, deadline) for name, droplet in list(self._droplets.items())},
            said.active,
            said.shares,
        )
        return metrics(facts, {"version": metadata.version("slipway"), "python": platform.python_version()})

    def _begin(self, asked: float) -> None:
        for one in (self._places, self._traffic, *self._looks()):
            if one:
                one.begin(asked)

    def _looks(self) -> Iterator[Looked[DropletLook] | Looked[DropletDrift] | None]:
        for _, look, drift in list(self._droplets.values()):
            yield from (look, drift)

    def _know(self, places: Iterable[tuple[str, LookedAt]]) -> None:
        """These are the places from now on; one whose block is as it was keeps what was found there."""
        known = self._droplets
        self._droplets = {
            name: known[name] if name in known and known[name][0] == place else self._droplet(place)
            for name, place in places
        }

    def _droplet(self, place: LookedAt) -> Droplet:
        drift = Looked(lambda: _drift(place), self._drift_every) if self._drift_every else None
        return place, Looked(lambda: _look(place), self._age), drift

    def _facts(
        self,
        name: str,
        _place: LookedAt,
        look: Looked[DropletLook],
        drift: Looked[DropletDrift] | None,
        deadline: float,
    ) -> DropletFacts:
        answer = look.newest(deadline)
        drifted = (drift.newest(deadline) if self._wait_for_drift else drift.last) if drift else None
        self._note(name, answer)
        return DropletFacts(
            self.settings.colours.of(name) or "",
            answer.found if answer else None,
            answer.at if answer and answer.found is not None else None,
            drifted.found.findings if drifted and drifted.found else None,
            drifted.at if drifted else None,
        )

    def _note(self, what: str, answer: LookAnswer[Any] | None) -> None:
        """Tell once that something does not answer, and once that it does again."""
        if answer and answer.error is None:
            if what in self._troubled:
                self._tell(f"{what} answers again.")
            self._troubled.discard(what)
        elif what not in self._troubled:
            self._troubled.add(what)
            why = str(answer.error) or type(answer.error).__name__ if answer else "it did not answer in time"
            self._tell(mask(f"{what}: {why}"))


def metrics_registry(collector: Collector) -> CollectorRegistry:
    """A registry of these metrics alone."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    return registry


def metrics_server(collector: Collector, host: str, port: int) -> WSGIServer:
    """The server of these metrics, bound and not yet serving. Raises OSError where the address cannot be had."""
    app = make_wsgi_app(metrics_registry(collector))
    return make_server(host, port, app, _Server6 if ":" in host else _Server, _Handler)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout: ClassVar[float] = 10.0  # seconds for each piece of a request

    def log_message(self, format: str, *args: object) -> None:
        """Scrapes are not worth a line."""


def _look(place: LookedAt) -> DropletLook:
    with place.session() as session:
        said = session.run(metrics_script(place.directory), timeout=_LOOK_S, name="metrics").out
    try:
        return read_metrics_look(said, place.directory.stack)
    except SlipwayError:
        return DropletLook()  # it answered, and what it says cannot be read


def _drift(place: LookedAt) -> DropletDrift:
    with place.session() as session:
        said = session.run(drift_script(place.directory), timeout=_DRIFT_S, name="look for drift").out
    return read_drift(said, place.directory, place.name)
