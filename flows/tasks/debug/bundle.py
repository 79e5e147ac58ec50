"""Finds out what is wrong with services, and keeps it as a debug bundle: an archive, and Markdown in the Prefect UI.

`bundle` needs no flow run and takes no lock: failure hooks call it, over the session that is open anyway.
"""

import time
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import httpx
from prefect.artifacts import create_markdown_artifact
from prefect.logging import get_logger

from blocks.ssh.shell import RemoteShell
from flows.core.debug.bundle import DebugBundle, DebugResult, bundle_archive
from flows.core.debug.collectors import CollectorTarget, collector_script
from flows.core.debug.diagnosis import HealthResponse, diagnose_host, diagnose_service
from flows.core.debug.evidence import read_evidence
from flows.core.debug.overview import StackOverview, choose_services
from flows.core.debug.redaction import redact, redaction_mask, secret_paths
from flows.core.droplet.containers import Container
from flows.core.droplet.directories import StackDirectory
from flows.core.errors import BundleNotWritten
from flows.core.gates.probes import judge_health
from flows.core.registry.references import slug
from flows.core.secrets.masking import Mask
from flows.core.stack.stack import Service
from flows.settings import Settings
from flows.tasks.debug.engines import DropletEngine, Engine
from flows.tasks.runs.declaration import task
from flows.tasks.runs.log_masking import known_secrets, register_secrets
from flows.tasks.runs.reports import write_report
from flows.tasks.runs.retries import ONCE

_SIDE_BY_SIDE = 16
_MOST_LINES = 5000
# Path, status (None: no answer), what was said, seconds.
_Said = tuple[str, int | None, str, float]


def bundle(
    session: RemoteShell,
    directory: StackDirectory,
    services: Sequence[str] | None,
    settings: Settings,
    lines: int,
    besides: Sequence[str] = (),
) -> DebugResult:
    """Look at services of a droplet, and keep what is found. Changes nothing there.

    Args:
        services: without any, those that are not well; when all are, no archive is written.
        lines: last log lines of each container.
        besides: services that are looked at besides, if they are there.

    Raises:
        UnknownService, NothingDeployed, BundleNotWritten, and what the session raises.
    """
    return make_bundle(DropletEngine(session, directory, settings), services or (), settings, lines, besides)


@task(name="examine", task_run_name="look at services on {engine.place}", timeout_seconds=180, **ONCE)
def examine(engine: Engine, services: Sequence[str], settings: Settings, lines: int) -> DebugResult:
    """`make_bundle` as a step of a flow."""
    return make_bundle(engine, services, settings, lines)


def make_bundle(
    engine: Engine, services: Sequence[str], settings: Settings, lines: int, besides: Sequence[str] = ()
) -> DebugResult:
    """As `bundle`, of services anywhere."""
    began = time.monotonic()
    overview = engine.overview()
    picked = tuple(
        dict.fromkeys([*choose_services(overview, services), *(name for name in besides if name in overview.services)])
    )
    if not picked and not overview.trouble:
        return DebugResult(overview.name, overview.place, seconds=time.monotonic() - began)
    bundle = _look(engine, overview, picked, max(1, min(lines, _MOST_LINES)))
    _show(bundle, engine)
    content = bundle_archive(bundle.files(), slug(f"{overview.name}-{engine.short}"), time.time())
    path = _write(content, settings.reports, slug(f"debug-{overview.name}-{engine.short}"))
    return DebugResult(overview.name, overview.place, bundle.readings, path, len(content), time.monotonic() - began)


def _look(engine: Engine, overview: StackOverview, services: tuple[str, ...], lines: int) -> DebugBundle:
    containers = [container for service in services for container in overview.of(service)]
    subjects = [CollectorTarget.of(overview.inspected[container.id]) for container in containers]
    paths = secret_paths(overview, engine.home)
    script = collector_script(overview.name, subjects, paths, lines)
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        looking = pool.submit(engine.run_script, script)
        said = _ask_all(engine, overview, containers, pool)
        out, trouble = looking.result()
    evidence = read_evidence(out)
    mask = redaction_mask(overview, paths, evidence, known_secrets())
    register_secrets(mask.given, mask.public)
    overview, evidence = redact(overview, evidence, mask)
    if trouble:
        get_logger("slipway.hooks").warning("not everything could be looked at: %s", trouble)
    answers = {service: _answer(one, mask) for service, one in said.items()}
    readings = [diagnose_service(overview, evidence, service, answers.get(service)) for service in services]
    taken = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return DebugBundle(overview, evidence, services, answers, (*readings, diagnose_host(overview, evidence)), taken)


def _ask_all(
    engine: Engine, overview: StackOverview, containers: Sequence[Container], pool: ThreadPoolExecutor
) -> Mapping[str, _Said]:
    """GET the health path of every service that names one and runs; of several containers the worst answer counts."""
    wanted = []
    for container in containers:
        service = overview.stack.services.get(container.service) if overview.stack else None
        if service and service.extension.health and service.probe_port and container.state == "running":
            address = engine.address(overview, container, service.probe_port)
            if address:
                wanted.append((service, address))
    if not wanted:
        return {}
    with engine.http() as client:
        said = list(pool.map(lambda where: _ask(client, *where), wanted))
    worst: dict[str, _Said] = {}
    for (service, _), answer in zip(wanted, said, strict=True):
        if service.name not in worst or _is_good(worst[service.name]):
            worst[service.name] = answer
    return worst


def _is_good(said: _Said) -> bool:
    return said[1] is not None and 200 <= said[1] < 300


def _ask(client: httpx.Client, service: Service, address: str) -> _Said:
    began, path = time.monotonic(), service.extension.health or "/"
    try:
        answer = client.get(f"http://{address}{path}", headers={"Host": service.probe_host})
        return path, answer.status_code, answer.text, time.monotonic() - began
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return path, None, f"{type(error).__name__}: {error}", time.monotonic() - began


def _answer(said: _Said, mask: Mask) -> HealthResponse:
    path, status, text, seconds = said
    words = mask(text)
    return HealthResponse(path, status, words if status is None else judge_health(status, words)[1], seconds)


def _show(bundle: DebugBundle, engine: Engine) -> None:
    """The bundle in the Prefect UI; that the server is away must not hide what was found."""
    key = slug(f"debug-{bundle.overview.name}-{engine.short}").replace(".", "-").replace("_", "-")
    what = f"Debug bundle of {', '.join(bundle.services) or 'the host'} on {bundle.overview.place}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # a hook runs outside of its run, says Prefect
            create_markdown_artifact(bundle.markdown(), key=key, description=what)
    except Exception as error:
        get_logger("slipway.hooks").warning("the debug bundle is not shown in Prefect: %s", error)


def _write(content: bytes, reports: Path, name: str) -> Path:
    """Write the archive, readable by its owner alone; it appears whole or not at all."""
    at = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")[:-3]
    try:
        return write_report(reports, f"{name}-{at}Z.tar.gz", content, private=True)
    except OSError as error:
        raise BundleNotWritten(
            f"the debug bundle cannot be written to {reports}: {error.strerror}. "
            "Make room there, or set SLIPWAY_REPORTS to another directory"
        ) from None
