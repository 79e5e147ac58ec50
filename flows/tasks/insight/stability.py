"""The steps of a stability report, as the Prefect UI shows them."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from flows.core.insight.stability.report import StabilityReport
from flows.core.insight.stability.requests import RequestHistory
from flows.core.records.history import History
from flows.settings import Settings
from flows.tasks.droplet.target import Target
from flows.tasks.insight.page import stability_page
from flows.tasks.insight.sources import RememberingDroplet, ask_histories, ask_requests, coloured
from flows.tasks.runs.blocks import load_prometheus
from flows.tasks.runs.declaration import task
from flows.tasks.runs.reports import write_report

PAGE = "stability.html"


@task(name="read the records of all droplets", timeout_seconds=300)
def read_histories(targets: Iterable[Target]) -> tuple[dict[str, History], tuple[str, ...]]:
    """Droplet → its history, and in sentences the droplets that could not be asked."""
    return ask_histories(
        RememberingDroplet(target.name, target.droplet.session, target.directory) for target in targets
    )


@task(name="ask Prometheus for the days", timeout_seconds=300)
def read_requests(
    stack: str, droplets: Iterable[str], settings: Settings, begin: datetime, until: datetime
) -> RequestHistory:
    """What Prometheus says of the requests of each colour."""
    prometheus = load_prometheus(settings)
    server = prometheus.server() if prometheus else None
    return ask_requests(server, stack, coloured(droplets, settings), settings, begin, until)


@task(name="write the page", timeout_seconds=300)
def write_page(report: StabilityReport, place: Path) -> Path:
    """Write the page with its plots into the directory of the reports."""
    return write_report(place, PAGE, stability_page(report))
