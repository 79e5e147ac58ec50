"""Holds everybody off while a registry is tidied: every droplet's lock is ours, and nothing is being pushed."""

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

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

from blocks import Droplet
from blocks.errors import Unreachable
from blocks.ssh.session import Session
from flows.core.errors import ReleaseUnderWay
from flows.settings import Settings
from flows.tasks.droplet.connection import connected
from flows.tasks.droplet.lock import locked
from flows.tasks.runs.blocks import load_droplet, saved_names

# What pulls holds its droplet's lock; what pushes holds none.
_PUSHES = "build-push"


@contextmanager
def exclusive_registry_access(
    settings: Settings, without: Collection[str], purpose: str, wait: float
) -> Iterator[list[tuple[Session, str]]]:
    """Hold the lock of every droplet, with no run under way that pushes. Yields each droplet's session, and the
    directory of its releases.

    Args:
        without: droplets that are gone for good.
        wait: seconds for another run that holds a lock.

    Raises:
        ReleaseUnderWay, DropletBusy, and what opening a droplet raises: one that cannot be asked may need anything.
    """
    refuse_while_pushing(settings)
    with ExitStack() as stack:
        places = [(_asked(stack, droplet), droplet.directory) for droplet in all_droplets(settings, without)]
        for session, directory in places:
            stack.enter_context(locked(session, directory, purpose, wait))
        yield places


def all_droplets(settings: Settings, without: Collection[str]) -> list[Droplet]:
    """Every droplet that a block was saved for, and those that the settings name: a release can be on any of them.

    Two blocks for one directory of one host count once.

    Raises:
        BlockMissing: a droplet that somebody named in the settings has no block.
    """
    meant = {"droplets", "green", "blue"} & settings.model_fields_set
    named = {name for field in meant for name in getattr(settings, field)} | {settings.home} - {""}
    droplets = [load_droplet(name) for name in sorted((named | set(saved_names(Droplet))) - set(without))]
    first: dict[tuple[str, int, str], Droplet] = {}
    for droplet in droplets:
        first.setdefault((droplet.host, droplet.port, droplet.directory), droplet)
    return list(first.values())


def _asked(stack: ExitStack, droplet: Droplet) -> Session:
    try:
        return stack.enter_context(connected(droplet))
    except Unreachable as error:
        raise Unreachable(
            f"{error} (what it needs of the registry is not known, so nothing was removed; if it is gone for good: "
            f"--without {droplet.name})"
        ) from None


def refuse_while_pushing(settings: Settings) -> None:
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
