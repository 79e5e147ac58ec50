"""How stable a destination was, without Prefect: its records over SSH, Prometheus by its block's fields."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr

from blocks.errors import PrefectFailed
from blocks.prometheus_api import PrometheusServer
from flows.api.blocks import read_block
from flows.api.client import PrefectApi
from flows.core.insight.stability.report import StabilityReport, StabilitySources
from flows.core.secrets.block_names import block_name
from flows.core.secrets.masking import environment_values
from flows.looking.places import find_places
from flows.looking.traffic import Traffic, read_traffic
from flows.settings import Settings
from flows.tasks.insight.shell import masked
from flows.tasks.insight.sources import RememberingDroplet, ask_histories, ask_requests, coloured, make_report
from flows.tasks.runs.log_masking import register_secrets

_PROMETHEUS, _ENVIRONMENT = "slipway-prometheus", "slipway-stack-environment"


def look_at_stability(api: PrefectApi, stack: str, days: float | None, settings: Settings) -> StabilityReport:
    """The report on the destination of the settings; what cannot be asked is told in it.

    Args:
        days: None: the setting `stability_days`.
    """
    now = datetime.now(UTC)
    length = days or settings.stability_days
    _know_environment(api, stack, settings)
    places = find_places(api, stack, settings.shown, settings)
    histories, away = ask_histories(
        RememberingDroplet(name, place.session, place.directory) for name, place in places.items()
    )
    said = read_traffic(api, settings) if settings.switch or settings.active_url else Traffic()
    server = _prometheus(api, settings)
    requests = ask_requests(
        server, stack, coloured(histories, settings), settings, now - timedelta(days=length), now
    )  # fmt: skip
    active = tuple(said.active) if said.active is not None else None
    away = (*((said.trouble,) if said.trouble else ()), *away)
    sources = StabilitySources(histories, settings.colours.of, requests, active, bool(settings.switch), away)
    return masked(make_report(stack, sources, settings, length, now))


def _prometheus(api: PrefectApi, settings: Settings) -> PrometheusServer | None:
    """The server of the saved block, or None where none was saved."""
    fields = read_block(api, _PROMETHEUS, settings.prometheus) if settings.prometheus else None
    if fields is None:
        return None
    url, password = fields.get("url"), str(fields.get("password") or "")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise PrefectFailed(f"block {_PROMETHEUS}/{settings.prometheus} has no URL. Save it: slipway prometheus set")
    register_secrets([password])
    return PrometheusServer(url, str(fields.get("username") or ""), SecretStr(password))


def _know_environment(api: PrefectApi, stack: str, settings: Settings) -> None:
    """Remember what the stack's environment holds: records repeat what services said."""
    fields = read_block(api, _ENVIRONMENT, settings.environment or block_name(stack)) or {}
    variables, files = _texts(fields.get("variables")), _texts(fields.get("files"))
    register_secrets(environment_values(variables, files), public=[stack])


def _texts(held: object) -> dict[str, str]:
    return {str(name): str(value) for name, value in held.items()} if isinstance(held, Mapping) else {}
