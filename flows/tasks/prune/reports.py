"""Removes old files of ours from the reports' directory of this host; what goes is listed first."""

from prefect.logging import get_run_logger

from flows.core.errors import DirectoryNotOurs
from flows.core.prune.reports import ExpiredReport, reports_rows
from flows.settings import Settings
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.declaration import task
from flows.tasks.runs.reports import remove_old_reports
from flows.tasks.runs.retries import ONCE


@task(name="prune reports", task_run_name="prune the reports", **ONCE)
def prune_reports(settings: Settings, dry_run: bool = False) -> tuple[ExpiredReport, ...]:
    """Remove what is beyond `keep_reports` or older than `keep_reports_days`. What stands in the way is told.

    Returns:
        What went; of a dry run, what would go.
    """
    try:
        found = tuple(remove_old_reports(settings, dry_run=True))
        table("prune-reports", reports_rows(found), f"What {settings.reports} keeps no longer")
        return found if dry_run else tuple(remove_old_reports(settings))
    except (DirectoryNotOurs, OSError) as error:
        get_run_logger().warning("no reports were pruned: %s", error)
        return ()
