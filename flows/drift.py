"""drift: what is on every droplet, held against what was put there."""

from collections.abc import Iterable, Iterator, Mapping

from prefect.logging import get_run_logger

from blocks.errors import OutsideError
from flows.core.control.events import DRIFT_FOUND
from flows.core.errors import BlockMissing, SlipwayError
from flows.core.insight.drift import (
    Drifted,
    DriftFinding,
    DropletDrift,
    drift_script,
    edge_drift,
    read_drift,
    switch_drift,
)
from flows.core.release.release import Release
from flows.deploy import deploy
from flows.settings import Settings
from flows.tasks.droplet.connection import QUICK
from flows.tasks.droplet.target import Target
from flows.tasks.insight.overview import keep_overview
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.blocks import block_cache, load_droplet, load_environment
from flows.tasks.runs.declaration import flow, note_change, task
from flows.tasks.runs.events import emit
from flows.tasks.runs.log_masking import mask
from flows.tasks.runs.retries import RETRIED
from flows.tasks.stack.project import stack_name
from flows.tasks.stack.run_names import run_name
from flows.tasks.traffic.edge.sites import read_edge
from flows.tasks.traffic.switch import open_switch, read_switch
from flows.validate import validate


@flow(name="drift", flow_run_name=run_name("look for drift of {stack}"), overview=keep_overview)
def drift(stack: str | None = None, droplets: list[str] | None = None, repair: bool = False) -> Drifted:
    """Compare what is on droplets with their records: digests, environment and configuration, containers, files that
    were changed by hand, the edge and the traffic switch. Changes nothing, unless it is told to repair.

    Args:
        stack: the stack's name, or its compose file; default: the setting `stack`.
        droplets: names of Droplet blocks; default: both colours and the data home, those that were saved.
        repair: put the same release there again where that puts everything right.

    Raises:
        what opening a droplet raises, when it was asked for by name.
    """
    settings = Settings()
    name = stack_name(stack or settings.stack)
    with block_cache():
        load_environment(settings, name)  # what it holds is kept out of logs and artifacts from here on
        looked = ((one, _look(one, name, settings, asked=bool(droplets))) for one in droplets or settings.shown)
        seen = {droplet: said for droplet, said in looked if said}
        traffic = () if droplets else tuple(_traffic(seen, name, settings))
        for one in (*seen.values(), *traffic):
            for finding in one.findings:
                get_run_logger().warning("%s: %s", one.droplet, mask(finding.what))
            _tell(one, name, settings)
        repaired = tuple(_repair(name, seen.values(), settings)) if repair else ()
    found = Drifted(name, (*seen.values(), *traffic), repaired)
    table(f"drift-{name}", _rows(found), found.words)
    note_change(name)
    return found


@task(name="look for drift", task_run_name="look for drift on {target.name}", timeout_seconds=300, **RETRIED)
def look_for_drift(target: Target) -> DropletDrift:
    """What a droplet says, held against the release that is current there."""
    with target.connected() as session:
        said = session.run(drift_script(target.directory), timeout=2 * QUICK, name="look for drift").out
    return read_drift(said, target.directory, target.name)


def _look(droplet: str, stack: str, settings: Settings, *, asked: bool) -> DropletDrift | None:
    """None for a droplet of the settings that was never saved."""
    try:
        return look_for_drift(Target.of(load_droplet(droplet), settings.name_on(droplet, stack), settings))
    except BlockMissing:
        if asked:
            raise
        return None
    except (OutsideError, SlipwayError) as error:
        if asked:
            raise
        return _unknown(droplet, error)


def _traffic(seen: Mapping[str, DropletDrift], stack: str, settings: Settings) -> Iterator[DropletDrift]:
    """What the traffic switch and the edge say."""
    released: dict[str, Release] = {
        colour: said.release
        for droplet, said in seen.items()
        if said.release and (colour := settings.colours.of(droplet))
    }
    if settings.switch:
        try:
            with open_switch(settings) as switch:
                found = tuple(switch_drift(read_switch(switch).active, tuple(released)))
            yield DropletDrift(f"switch {settings.switch}", None, found)
        except (OutsideError, SlipwayError) as error:
            yield _unknown(f"switch {settings.switch}", error)
    if settings.shared_droplet in {droplet.partition("/")[0] for droplet in seen}:
        yield _edge(settings.shared_droplet, stack, released)


def _edge(droplet: str, stack: str, released: Mapping[str, Release]) -> DropletDrift:
    block = load_droplet(droplet)
    try:
        with block.session() as session:
            found = tuple(edge_drift(read_edge(session, block.directory), stack, released))
        return DropletDrift(f"edge of {droplet}", None, found)
    except (OutsideError, SlipwayError) as error:
        return _unknown(f"edge of {droplet}", error)


def _repair(stack: str, seen: Iterable[DropletDrift], settings: Settings) -> Iterator[str]:
    """Put the current release where it drifted; what that would not put right is told, and left.

    Yields:
        the names of the droplets that were repaired.
    """
    for said in seen:
        if not said.repairable:
            continue
        if said.droplet == settings.home:
            get_run_logger().warning(
                "%s keeps state, and is left as it is. To put its release there again: slipway deploy-home --tag %s",
                said.droplet, said.tag,
            )  # fmt: skip
            continue
        deploy(tag=said.tag, stack=stack, droplet=said.droplet)
        validate(stack=stack, droplet=said.droplet)
        yield said.droplet


def _tell(said: DropletDrift, stack: str, settings: Settings) -> None:
    """Emit what drifted; a droplet that cannot be asked has not. The edge and the switch are no droplet."""
    what = "; ".join(finding.what for finding in said.findings if finding.kind != "unknown")
    droplet = said.droplet if said.release else ""
    colour, reason = settings.colours.of(droplet) or "", what if droplet else f"{said.droplet}: {what}"
    if what:
        emit(DRIFT_FOUND, stack=stack, tag=said.tag, droplet=droplet, colour=colour, reason=reason)


def _unknown(where: str, error: Exception) -> DropletDrift:
    return DropletDrift(where, None, (DriftFinding("unknown", str(error)),))


def _rows(found: Drifted) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for one in found.seen:
        said: list[tuple[str, str]] = [(finding.kind, finding.what) for finding in one.findings]
        for kind, what in said or [("none", "as it was put there")]:
            repaired = "yes" if one.droplet in found.repaired else ""
            rows.append({"droplet": one.droplet, "release": one.tag, "kind": kind, "what": what, "repaired": repaired})
    return rows
