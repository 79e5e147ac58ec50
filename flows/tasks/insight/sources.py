"""What a stability report is made of: records of droplets and the answers of Prometheus, asked side by side. Prefect is
not needed for it; whoever cannot be asked is told of, and no failure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from blocks.errors import OutsideError
from blocks.prometheus_api import PrometheusServer
from blocks.ssh.session import Session
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.sections import section_script, sections
from flows.core.errors import SlipwayError
from flows.core.gates.metrics import expression
from flows.core.insight.stability.report import StabilityReport, StabilitySources, stability_report
from flows.core.insight.stability.requests import ColourSamples, RequestHistory, range_step
from flows.core.records.history import History
from flows.core.records.storage import history_sections, read_records
from flows.core.traffic.colours import COLOURS
from flows.settings import Settings
from flows.tasks.runs.log_masking import mask

_TIMEOUT_S = 60.0
_SIDE_BY_SIDE = 16
# A range over a week takes longer than a moment's value.
_LEAST_PATIENCE = 20.0


@dataclass(frozen=True)
class RememberingDroplet:
    """A droplet that is asked for its records: its name, how a session to it is opened, and the stack's directory."""

    name: str
    session: Callable[[], AbstractContextManager[Session]]
    directory: StackDirectory


def ask_histories(droplets: Iterable[RememberingDroplet]) -> tuple[dict[str, History], tuple[str, ...]]:
    """Droplet → its history, and in sentences the droplets that could not be asked."""

    def one(droplet: RememberingDroplet) -> History | str:
        try:
            with droplet.session() as session:
                script = section_script(history_sections(droplet.directory))
                said = session.run(script, timeout=_TIMEOUT_S, name="history").out
            return read_records(sections(said), droplet.directory.stack)
        except (OutsideError, SlipwayError) as error:
            return f"{droplet.name} could not be asked, so its records are missing: {mask(str(error))}"

    listed = list(droplets)
    with ThreadPoolExecutor(max(1, min(len(listed), _SIDE_BY_SIDE))) as pool:
        found = dict(zip((droplet.name for droplet in listed), pool.map(one, listed), strict=True))
    histories = {name: said for name, said in found.items() if isinstance(said, History)}
    return histories, tuple(said for said in found.values() if isinstance(said, str))


def ask_requests(
    server: PrometheusServer | None, stack: str, colours: Mapping[str, Sequence[str]], settings: Settings,
    begin: datetime, until: datetime,
) -> RequestHistory:  # fmt: skip
    """What Prometheus says of the requests of each colour, by the queries of the gates.

    Args:
        server: None: no Prometheus block was saved.
        colours: colour → its droplets.
    """
    step = range_step((until - begin).total_seconds())
    if server is None:
        return RequestHistory({}, step, "no Prometheus was saved, so error rate and latency are unknown: slipway "
                              "prometheus set --url URL")  # fmt: skip
    if not colours:
        return RequestHistory({}, step, "no droplet has a colour, and Prometheus is asked by colour")
    templates = (settings.requests_query, settings.error_rate_query, settings.latency_query)
    queries = [
        expression(template, colour, droplets, stack, step)
        for colour, droplets in colours.items() for template in templates
    ]  # fmt: skip
    patience = max(settings.provider_timeout, _LEAST_PATIENCE)
    first, last = (begin + timedelta(seconds=step)).timestamp(), until.timestamp()

    def ask(query: str) -> tuple[tuple[float, float], ...] | str:
        try:
            series = server.query_range(query, first, last, step, patience)
        except OutsideError as error:
            return mask(str(error))
        if len(series) > 1:
            return f"a query answers {len(series)} series, and must answer one: {query}"
        return tuple(series[0][1]) if series else ()

    with ThreadPoolExecutor(len(queries)) as pool:
        said = list(pool.map(ask, queries))
    trouble = next((one for one in said if isinstance(one, str)), "")
    answers = [() if isinstance(one, str) else one for one in said]
    found = {
        colour: ColourSamples(*answers[place * 3 : place * 3 + 3]) for place, colour in enumerate(colours)
    }  # fmt: skip
    return RequestHistory(found, step, trouble, tuple(queries))


def coloured(names: Iterable[str], settings: Settings) -> dict[str, tuple[str, ...]]:
    """Colour → its droplets among these."""
    listed = list(names)
    found = {colour: tuple(n for n in listed if settings.colours.of(n) == colour) for colour in COLOURS}
    return {colour: droplets for colour, droplets in found.items() if droplets}


def make_report(
    stack: str, sources: StabilitySources, settings: Settings, days: float, now: datetime
) -> StabilityReport:
    """The report, by the thresholds of the settings."""
    return stability_report(
        stack, settings.destination, sources, days=days, now=now, thresholds=settings.stability_thresholds,
        limits=settings.stability_limits,
    )  # fmt: skip
