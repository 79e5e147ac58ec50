"""Keeps the overview of a stack at a destination: one artifact of the Prefect UI, written anew by who looked last."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from prefect import runtime
from prefect.settings import get_current_settings

from flows.api.client import PrefectApi
from flows.api.connection import LOCAL_API, ApiConnection
from flows.api.runs import PausedRun, latest_artifacts, paused_runs
from flows.core.errors import SlipwayError
from flows.core.insight.overview import AskingRun, DestinationOverview, LastFinding
from flows.core.results import DropletStatus
from flows.settings import Settings
from flows.tasks.insight.droplets import read_droplets
from flows.tasks.runs.artifacts import artifact_key, page
from flows.tasks.runs.blocks import block_cache
from flows.tasks.runs.log_masking import masked_line
from flows.tasks.runs.run_info import now
from flows.tasks.runs.server import server_answers
from flows.tasks.stack.project import stack_name

_REASON = 200


def keep_overview(stack: str, asking: bool = False) -> None:
    """Look at every droplet of a stack, and write its overview; the setting `overview` says whether.

    Args:
        asking: this run is about to wait for a person.

    Raises:
        OutsideError, SlipwayError: Prefect's API does not say what is needed.
    """
    settings = Settings()
    if settings.overview and server_answers():
        with block_cache():
            write_overview(stack, *read_droplets(stack, settings), settings, asking=asking)


def write_overview(
    stack: str,
    droplets: Mapping[str, DropletStatus],
    active: Collection[str] | None,
    settings: Settings,
    *,
    asking: bool = False,
) -> None:
    """Write the overview of what was seen.

    Args:
        active: the colours (or droplets) that traffic reaches; None: nobody knows.
        asking: this run is about to wait for a person.

    Raises:
        Unreachable, LoginRefused, PrefectFailed
    """
    if not settings.overview or not server_answers():
        return
    known = tuple(active) if active is not None else None if settings.switch or settings.active_url else ()
    with PrefectApi(_connection()) as api:
        waiting = [_asking(run) for run in paused_runs(api) if _concerns(run, stack, settings)]
        found = _found_last(api, stack)
    name, url = str(runtime.flow_run.name or ""), _run_path(runtime.flow_run.root_flow_run_id)
    if asking:
        waiting.append(AskingRun(name, url, now()))
    shown = {droplet: _fit_to_show(said) for droplet, said in droplets.items()}
    overview = DestinationOverview(stack, settings.destination, now(), shown, known, found, waiting, name, url)
    page(f"overview-{stack}", overview.markdown(), overview.sentence)


def _found_last(api: PrefectApi, stack: str) -> list[LastFinding]:
    """What earlier runs left in tables: the gates of both colours, the last promotion, and drift."""
    whats = {
        **{f"gates-{stack}-{colour}": f"gates of {colour}" for colour in ("green", "blue")},
        f"promotion-{stack}": "promotion",
        f"traffic-{stack}": "traffic sent back",
        f"drift-{stack}": "drift",
    }
    keys = {artifact_key(key): what for key, what in whats.items()}
    latest = latest_artifacts(api, list(keys))
    return [
        LastFinding(what, masked_line(said.description or ""), said.updated or "", f"/artifacts/key/{key}")
        for key, what in keys.items()
        if (said := latest.get(key))
    ]


def _concerns(run: PausedRun, stack: str, settings: Settings) -> bool:
    """Whether a run is about this stack at this destination; one that says no destination may be about each."""
    given = run.parameters.get("stack")
    try:
        same = stack_name(str(given or settings.stack)) == stack
    except (SlipwayError, OSError, ValueError):
        same = str(given) == stack
    return same and run.parameters.get("destination") in (None, "", settings.destination)


def _asking(run: PausedRun) -> AskingRun:
    return AskingRun(run.name, _run_path(run.id), run.state.timestamp if run.state else "")


def _run_path(run: object) -> str:
    """Its page, as this UI finds it: the API's name inside of a container is not what a browser knows."""
    return f"/runs/flow-run/{run}" if run else ""


def _fit_to_show(said: DropletStatus) -> DropletStatus:
    """Without secrets, and cut only then."""
    record = said.record and said.record.model_copy(update={"reason": masked_line(said.record.reason, _REASON)})
    return replace(
        said, record=record, trouble=masked_line(said.trouble, _REASON), holder=masked_line(said.holder, _REASON)
    )


def _connection() -> ApiConnection:
    api = get_current_settings().api
    key, login = (secret.get_secret_value() if secret else "" for secret in (api.key, api.auth_string))
    return ApiConnection((api.url or LOCAL_API).rstrip("/"), login, key)
