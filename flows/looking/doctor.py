"""`slipway doctor`: everything that a release needs, asked at the same time; nothing is changed."""

import socket
import ssl
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from blocks.errors import LoginRefused, OutsideError, PrefectFailed, Unreachable
from blocks.registry.client import RegistryClient
from flows.api.blocks import read_block
from flows.api.client import PrefectApi
from flows.core.control.automations import crash_detection, recovery
from flows.core.errors import SlipwayError
from flows.core.insight.doctor import (
    Check,
    CheckVerdict,
    droplet_check_script,
    judge_automations,
    judge_certificate,
    judge_deployments,
    judge_versions,
    judge_workers,
    read_droplet_checks,
)
from flows.looking.places import LookedAt, find_places
from flows.looking.traffic import CADDY, read_traffic
from flows.settings import Settings
from flows.tasks.control.deployments import packaged_document
from flows.tasks.runs.log_masking import mask, register_secrets

POOL = "slipway"
_LOGIN = "prefect profile use slipway, or set PREFECT_API_AUTH_STRING"
_TIMEOUT_S, _ANSWER_S = 60.0, 10.0
_PAGE = 200
_REGISTRY, _DOCR = "slipway-container-registry", "slipway-docr-registry"
Checks = list[Check]


def diagnose(api: PrefectApi, stack: str, settings: Settings) -> Checks:
    """Every check. What does not answer in time is `unknown`, and keeps no other from being looked at.

    Where Prefect's API does not answer, or not to us, that is the one check: it knows where all else is.
    """
    try:
        server = str(api.get("/admin/version"))
    except (Unreachable, LoginRefused, PrefectFailed) as error:
        remedy = _LOGIN if isinstance(error, LoginRefused) else "slipway server up"
        return [Check("Prefect server", "fail", mask(str(error)), remedy)]
    places = find_places(api, stack, settings.shown, settings)
    known: dict[str, Callable[[], Checks]] = {
        "worker": lambda: [judge_workers(POOL, api.post(f"/work_pools/{POOL}/workers/filter") or [], _now())],
        "deployments": lambda: [judge_deployments(_packaged(), _names(api, "deployments"))],
        "automations": lambda: [judge_automations(_listed(api, "automations"), _automations())],
        "registry": lambda: [_registry(api, settings)],
        "traffic": lambda: _traffic(api, settings),
    }
    hosts: dict[str, str] = {}
    droplets = {block.partition("/")[0]: place for block, place in places.items()}
    known |= {f"droplet {name}": _droplet(place, name, hosts) for name, place in droplets.items()}
    found = [judge_versions(server, metadata.version("prefect")), *_unsaved(settings, places)]
    found += _side_by_side(known)
    authority = _authority(api, settings)
    return found + _side_by_side({host: _host(host, authority) for host in hosts})


def _side_by_side(known: Mapping[str, Callable[[], Checks]]) -> Checks:
    # Threads that hang are left: a look has to end.
    pool = ThreadPoolExecutor(max(1, len(known)))
    started: dict[str, Future[Checks]] = {name: pool.submit(work) for name, work in known.items()}
    deadline, found = time.monotonic() + _TIMEOUT_S, Checks()
    for name, one in started.items():
        try:
            found += one.result(max(0.0, deadline - time.monotonic()))
        except TookTooLong:
            found.append(Check(name, "unknown", f"it did not answer within {_TIMEOUT_S:.0f} s"))
        except (OutsideError, SlipwayError) as error:
            found.append(Check(name, "fail", mask(str(error))))
    pool.shutdown(wait=False, cancel_futures=True)
    return found


def _unsaved(settings: Settings, places: Mapping[str, LookedAt]) -> Checks:
    """Droplets that the settings name, and nobody saved."""
    missing = sorted({name.partition("/")[0] for name in settings.shown} - {name.partition("/")[0] for name in places})
    remedy = "slipway droplet add {} --host ADDRESS --key-file PATH"
    kind: CheckVerdict = "warn" if places else "fail"  # one droplet is enough; the defaults name two colours
    return [Check(f"droplet {name}", kind, "was never saved", remedy.format(name)) for name in missing]


def _droplet(place: LookedAt, name: str, hosts: dict[str, str]) -> Callable[[], Checks]:
    def look() -> Checks:
        with place.session() as session:
            before = time.time()
            said = session.run(droplet_check_script(place.directory), timeout=_TIMEOUT_S, name="doctor").out
            found, exposed = read_droplet_checks(said, f"droplet {name}", (before + time.time()) / 2)
        hosts.update(dict.fromkeys(exposed, name))
        at = place.address
        return [Check(f"droplet {name}", "ok", f"reached as {at.user}@{at.host}:{at.port}"), *found]

    return look


def _registry(api: PrefectApi, settings: Settings) -> Check:
    fields = read_block(api, _REGISTRY, settings.registry)
    name, remedy = f"registry {settings.registry}", "slipway registry set --host HOST --namespace NAME --user USER"
    if fields is None and read_block(api, _DOCR, settings.registry) is not None:
        return Check(name, "unknown", "DigitalOcean's; slipway check asks it")
    if fields is None:
        return Check(name, "fail", "was never saved", f"{remedy}, or: slipway registry set-docr")
    url, user, password = (str(fields.get(key) or "") for key in ("registry_url", "username", "password"))
    host = url.split("://")[-1].rstrip("/")
    register_secrets([password, str(fields.get("pull_password") or "")])
    with RegistryClient(host, user, password, _ANSWER_S, authority=str(fields.get("ca_certificate") or "")) as client:
        client.check()
    return Check(name, "ok", f"{host} takes the login of {user or 'nobody'}")


def _traffic(api: PrefectApi, settings: Settings) -> Checks:
    if not settings.switch:
        return []
    said = read_traffic(api, settings)
    name, remedy = f"switch {settings.switch}", "slipway edge setup DROPLET, or: slipway switch add"
    if said.trouble:
        return [Check(name, "fail", said.trouble, remedy)]
    reached = ", ".join(said.active or ()) or "no colour"
    return [Check(name, "ok" if len(said.active or ()) == 1 else "warn", f"traffic goes to {reached}")]


def _authority(api: PrefectApi, settings: Settings) -> str:
    """The authority of the edge's own that the switch's block trusts."""
    fields = read_block(api, CADDY, settings.switch) if settings.switch else None
    return str((fields or {}).get("authority") or "")


def _host(host: str, authority: str) -> Callable[[], Checks]:
    def look() -> Checks:
        name = f"host {host}"
        try:
            addresses = sorted({str(one[4][0]) for one in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)})
        except OSError:
            return [Check(name, "fail", "no address is known of it", "make its DNS record lead to the droplet")]
        context = ssl.create_default_context()
        if authority:
            context.load_verify_locations(cadata=authority)
        try:
            with (
                socket.create_connection((host, 443), _ANSWER_S) as plain,
                context.wrap_socket(plain, server_hostname=host) as encrypted,
            ):
                ends = ssl.cert_time_to_seconds(str((encrypted.getpeercert() or {})["notAfter"]))
        except (OSError, KeyError, ValueError) as error:
            said = f"{', '.join(addresses)}: {error or type(error).__name__}"
            return [Check(name, "fail", said, "look at the edge: slipway edge show")]
        return [Check(name, "ok", ", ".join(addresses)), judge_certificate(host, ends - time.time())]

    return look


def _packaged() -> list[str]:
    return [str(one["name"]) for one in packaged_document()["deployments"]]


def _automations() -> list[str]:
    return [str(one["name"]) for one in (crash_detection(30), recovery("", ()))]


def _names(api: PrefectApi, kind: str) -> list[str]:
    return [str(one.get("name")) for one in _listed(api, kind)]


def _listed(api: PrefectApi, kind: str) -> list[dict[str, Any]]:
    said = api.post(f"/{kind}/filter", {"limit": _PAGE})
    return [one for one in said if isinstance(one, dict)] if isinstance(said, list) else []


def _now() -> datetime:
    return datetime.now(UTC)
