"""stability: the numbers of the runbook and of DORA over some days, with plots; changes nothing."""

from datetime import UTC, datetime, timedelta

from blocks.errors import OutsideError
from flows.core.errors import BlockMissing, SlipwayError
from flows.core.insight.stability.markdown import stability_markdown
from flows.core.insight.stability.report import StabilityReport, StabilitySources
from flows.settings import Settings
from flows.tasks.droplet.target import Target
from flows.tasks.insight.droplets import active_colours
from flows.tasks.insight.plots import overview_picture
from flows.tasks.insight.shell import masked
from flows.tasks.insight.sources import make_report
from flows.tasks.insight.stability import read_histories, read_requests, write_page
from flows.tasks.runs.artifacts import page
from flows.tasks.runs.blocks import block_cache, load_droplet, load_environment
from flows.tasks.runs.declaration import flow
from flows.tasks.runs.log_masking import mask
from flows.tasks.stack.project import stack_name
from flows.tasks.stack.run_names import run_name


@flow(name="stability", flow_run_name=run_name("stability of {stack}"))
def stability(stack: str | None = None, days: float | None = None) -> StabilityReport:
    """Say how stable a destination was: pull latency, rollouts, traces, errors and latency, and the four of DORA.

    What cannot be asked (a droplet, Prometheus, the switch) is told, and is no failure. The page with plots is
    `stability.html` in the directory of the reports.

    Args:
        stack: the stack's name, or its compose file; default: the setting `stack`.
        days: how many days back; default: the setting `stability_days`.
    """
    settings, now = Settings(), datetime.now(UTC)
    name, length = stack_name(stack or settings.stack), days or settings.stability_days
    with block_cache():
        load_environment(settings, name)  # what it holds is kept out of all that is shown from here on
        targets, missing = _targets(name, settings)
        histories, away = read_histories(targets)
        active, _ = active_colours(settings)
        if settings.switch and active is None:
            missing.append("where traffic goes is not known: the switch could not be asked")
        begin = now - timedelta(days=length)
        requests = read_requests(name, tuple(histories), settings, begin, now)
        sources = StabilitySources(
            histories, settings.colours.of, requests, tuple(active) if active is not None else None,
            bool(settings.switch), (*missing, *away),
        )  # fmt: skip
        report = masked(make_report(name, sources, settings, length, now))
        written = write_page(report, settings.reports)
    page(f"stability-{name}", stability_markdown(report, str(written), overview_picture(report)), report.sentence)
    return report


def _targets(stack: str, settings: Settings) -> tuple[list[Target], list[str]]:
    """The droplets of the destination that were saved, and what is wrong with others."""
    found, missing = [], list[str]()
    for droplet in settings.shown:
        try:
            found.append(Target.of(load_droplet(droplet), settings.name_on(droplet, stack), settings))
        except BlockMissing:
            continue
        except (OutsideError, SlipwayError) as error:
            missing.append(f"{droplet} could not be asked, so its records are missing: {mask(str(error))}")
    return found, missing
