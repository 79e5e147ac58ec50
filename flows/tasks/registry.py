"""The registry's side of retention and collection: what it holds, what droplets and the newest releases need of it."""

import base64
import shlex
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

from prefect import task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.logging import get_run_logger

from blocks import DocrRegistry, Droplet
from blocks.ssh import Session
from flows.core.errors import NotDocr, ReleaseUnderWay
from flows.core.images import RELEASE, split_host, split_reference
from flows.core.registry_plan import LATEST, Kept, Stored
from flows.core.release import Release, read_release
from flows.settings import Settings
from flows.tasks.connection import QUICK, connected
from flows.tasks.lock import locked
from flows.tasks.publish import fetch_release
from flows.tasks.retrying import RETRIED
from flows.tasks.saved import layout, load_droplet, load_registry

AT_ONCE = 4
# What pulls holds its droplet's lock; what pushes holds none.
_PUSHES = "build-push"
# Every release document on the droplet, of every stack, one a line.
_DOCUMENTS = 'for f in {0}/*/releases/*/release.json; do [ -e "$f" ] && base64 -w 0 "$f" && echo; done; true'


def load_docr(settings: Settings) -> DocrRegistry:
    """The registry, which must be DigitalOcean's. Raises NotDocr."""
    registry = load_registry(settings)
    if not isinstance(registry, DocrRegistry):
        raise NotDocr(
            f"the registry block {settings.registry} is not one of DigitalOcean's: what it holds can only be tidied "
            "with its own tools. Save DigitalOcean's: slipway registry set-docr --registry NAME"
        )
    return registry


@contextmanager
def nobody_releases(settings: Settings, without: Sequence[str], purpose: str, wait: float) -> Iterator[list[Session]]:
    """Hold the lock of every droplet, with no run under way that builds, pushes or deploys. Yields their sessions.

    Args:
        without: droplets that are gone for good.

    Raises:
        ReleaseUnderWay, DropletBusy, and what opening a droplet raises: one that cannot be asked may need anything.
    """
    refuse_running(settings)
    droplets = [load_droplet(name) for name in sorted(dict.fromkeys(settings.shown)) if name not in without]
    with ExitStack() as stack:
        sessions = [stack.enter_context(connected(droplet)) for droplet in droplets]
        for droplet, session in zip(droplets, sessions, strict=True):
            stack.enter_context(locked(session, droplet.directory, purpose, wait))
        yield sessions


def refuse_running(settings: Settings) -> None:
    """Refuse while something is pushed. A run that was killed stays "running" in Prefect for ever, so one that began
    longer ago than a build and a push may take does not count.

    Raises:
        ReleaseUnderWay
    """
    states = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.RUNNING]))
    began = datetime.now(UTC) - timedelta(seconds=settings.build_timeout + settings.push_timeout)
    wanted = FlowRunFilter(state=states, start_time=FlowRunFilterStartTime(after_=began))
    with get_client(sync_client=True) as client:
        pushes = FlowFilter(name=FlowFilterName(any_=[_PUSHES]))
        others = [run.name for run in client.read_flow_runs(flow_filter=pushes, flow_run_filter=wanted)]
    if others:
        raise ReleaseUnderWay(
            f"{', '.join(others)} is under way, and needs the registry. Nothing was removed. Wait for it, and run the "
            "same command again; if it is dead, cancel it in the Prefect UI"
        )


@task(name="list registry", task_run_name="list what {registry.registry_name} holds", timeout_seconds=1800, **RETRIED)
def list_registry(registry: DocrRegistry) -> list[Stored]:
    """Every manifest of every repository, with its tags."""
    name = registry.registry_name
    with registry.account.client() as client, ThreadPoolExecutor(AT_ONCE) as pool:
        repositories = [repository.name for repository in client.registries.repositories(name)]
        found = pool.map(lambda repository: client.registries.manifests(name, repository), repositories)
        return [Stored(m.repository, m.digest, m.tags, m.size) for each in found for m in each]


@task(name="find kept releases", timeout_seconds=600, **RETRIED)
def on_droplets(
    sessions: Sequence[Session], directories: Sequence[str], registry: DocrRegistry, stored: Sequence[Stored]
) -> list[Kept]:
    """Every release that stands on a droplet, of whatever stack: each is running, or a way back."""
    found = []
    for session, directory in zip(sessions, directories, strict=True):
        said = session.run(_DOCUMENTS.format(shlex.quote(directory)), timeout=QUICK).out
        for line in said.split():
            release = read_release(base64.b64decode(line))
            found.append(_kept(release, f"on droplet {session.address.name}", registry, stored))
    return found


def published(stored: Sequence[Stored], registry: DocrRegistry) -> dict[str, list[tuple[str, str]]]:
    """Stack → (tag, when) of the releases that the registry holds, as its tags say."""
    found: dict[str, list[tuple[str, str]]] = {}
    marks = {one.repository for one in stored if one.repository.endswith(f"-{RELEASE}")}
    if registry.single_repository:
        marks = {registry.single_repository}
    with registry.account.client() as client:
        for repository in sorted(marks):
            for tag in client.registries.tags(registry.registry_name, repository):
                stack, name = _named(repository, tag.tag, bool(registry.single_repository))
                if stack and name != LATEST:
                    found.setdefault(stack, []).append((name, tag.updated_at))
    return found


def newest(
    published: dict[str, list[tuple[str, str]]], keep: int, registry: DocrRegistry, stored: Sequence[Stored]
) -> list[Kept]:
    """The newest releases of each stack, as they were published."""
    found = []
    for stack, releases in published.items():
        for tag, _ in sorted(releases, key=lambda r: r[1], reverse=True)[:keep]:
            release, _ = fetch_release(stack, tag, registry)
            found.append(_kept(release, "among the newest", registry, stored))
    return found


def children(stored: Sequence[Stored], registry: DocrRegistry) -> set[tuple[str, str]]:
    """What image indexes refer to. Asked only where something without a tag could be such a part."""
    rooms = {one.repository for one in stored if not one.tags}
    asked = [one for one in stored if one.repository in rooms and one.tags]
    found: set[tuple[str, str]] = set()
    with registry.client(write=False) as client, ThreadPoolExecutor(AT_ONCE) as pool:
        path = f"{registry.registry_name}/"
        answers = pool.map(lambda one: (one, client.manifest(path + one.repository, one.digest).content), asked)
        for one, content in answers:
            found |= {(one.repository, entry["digest"]) for entry in content.get("manifests", ())}
    return found


def give_tags(untagged: Sequence[Stored], registry: DocrRegistry) -> None:
    """Give what a kept release needs, and only its digest refers to, a tag: a collection could take it otherwise."""
    if not untagged:
        return
    with registry.client() as client:
        for one in untagged:
            path = f"{registry.registry_name}/{one.repository}"
            client.tag(path, client.manifest(path, one.digest), f"kept-{one.digest[7:19]}")
            get_run_logger().warning("%s@%s had no tag; it is kept-%s now", path, one.digest[:19], one.digest[7:19])


def directories(settings: Settings, without: Sequence[str]) -> list[str]:
    """Where each droplet keeps releases, in the order of `nobody_releases`."""
    names = sorted(dict.fromkeys(name for name in settings.shown if name not in without))
    droplets: list[Droplet] = [load_droplet(name) for name in names]
    return [droplet.directory for droplet in droplets]


def _kept(release: Release, why: str, registry: DocrRegistry, stored: Sequence[Stored]) -> Kept:
    """What a release needs of this registry: its images, and its own files."""
    repository, name = split_reference(layout(registry).release_reference(release.stack, release.tag))
    own = split_host(repository)[1].removeprefix(f"{registry.registry_name}/")
    images = {(own, one.digest) for one in stored if one.repository == own and name in one.tags}
    for reference in {*release.services.values(), *release.images}:
        repository, digest = split_reference(reference)
        host, path = split_host(repository)
        if host == registry.host and path.startswith(f"{registry.registry_name}/"):
            images.add((path.removeprefix(f"{registry.registry_name}/"), digest))
    return Kept(release.stack, release.tag, why, frozenset(images))


def _named(repository: str, tag: str, single: bool) -> tuple[str, str]:
    """(stack, release) that a tag of a release's own image means."""
    if not single:
        return repository.removesuffix(f"-{RELEASE}"), tag
    stack, mark, name = tag.partition(f"-{RELEASE}-")
    return (stack, name) if mark else ("", "")
