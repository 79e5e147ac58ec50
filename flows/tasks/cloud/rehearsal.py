"""Leftovers of rehearsals that were killed: found by their tags, and removed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.logging import get_logger

from blocks import Droplet, TrafficSwitch
from blocks.digitalocean.models import DropletInfo, Snapshot
from blocks.errors import OutsideError
from blocks.traffic.digitalocean_switch import DigitalOceanSwitch
from flows.core.cloud.snapshots import PROVISIONED, REHEARSAL, SNAPSHOT
from flows.core.errors import BadColours, DropletBusy, SlipwayError
from flows.core.traffic.colours import other
from flows.settings import Settings
from flows.tasks.droplet.connection import connected
from flows.tasks.droplet.lock import locked
from flows.tasks.runs.blocks import find_account, find_droplet, forget_block
from flows.tasks.traffic.switch import open_switch

_Resource = TypeVar("_Resource", DropletInfo, Snapshot)
_RUN, _LIKE = "slipway-run-", "slipway-like-"
_GONE = 120.0


def rehearsal_tags(run: str, like: str) -> list[str]:
    """The tags of a rehearsal's resources: which run they belong to, and on which droplet that run holds its lock.

    That it is a rehearsal's comes last: tags are set one by one, and with this one others ask whether its run is over.
    """
    return [f"{_RUN}{run}", f"{_LIKE}{like}", REHEARSAL]


@contextmanager
def rehearsal_lock(like: Droplet) -> Iterator[None]:
    """Hold the lock of rehearsals on the droplet that one is like; not the one of releases, which may go on.

    A run that is killed loses it a moment later: that is how others know that it is over.

    Raises:
        DropletBusy: another rehearsal holds it.
    """
    with connected(like) as session, locked(session, f"{like.directory}/.rehearsal", "a rehearsal", 0.0):
        yield


def rehearsal_switch(settings: Settings) -> Settings:
    """Settings with the rehearsal's switch in place of production's."""
    return settings.model_copy(update={"switch": settings.rehearsal_switch})


def rehearsal_colour(switch: TrafficSwitch, droplet: str) -> str:
    """The colour of a rehearsal's droplet at the rehearsal's switch. Raises BadColours."""
    known = switch.droplets if isinstance(switch, DigitalOceanSwitch) else {}
    found = next((colour for colour, names in known.items() if names == [droplet]), None)
    if found is None:
        raise BadColours(
            f"{switch} does not know the droplet {droplet}: one of its colours must be that one alone. "
            "docs/BLUE_GREEN_DEPLOYMENT.md has an example"
        )
    return found


def remove_left(settings: Settings, *, mine: str = "", patience: float = 60.0) -> list[str]:
    """Remove droplets and snapshots of rehearsals whose run is over, after the rehearsal's switch was sent back.

    Without an account, or without leftovers, nothing changes. May run twice.

    Args:
        mine: this run counts as over.
        patience: seconds in which a call that failed is made again.

    Returns:
        What was removed, in words.
    """
    account = find_account(settings)
    if account is None:
        return []
    with account.client(patience) as client:
        found = client.droplets.all(tag=REHEARSAL)
        over = [droplet for droplet in _one_a_run(found, PROVISIONED) if _is_over(droplet.tags, mine)]
        gone = []
        if over:
            _switch_away(settings)
        for droplet in over:
            client.droplets.remove(droplet, PROVISIONED, _GONE)
            block = find_droplet(droplet.name)
            if block and block.host == droplet.public_ip:  # not that of a rehearsal which has begun since
                forget_block(Droplet, droplet.name)
            gone.append(f"droplet {droplet.name} ({droplet.id})")
        for snapshot in _one_a_run(client.snapshots.all(), SNAPSHOT):
            if _is_over(snapshot.tags, mine):
                client.snapshots.remove(snapshot.id, snapshot.name)
                gone.append(f"snapshot {snapshot.name}")
    return gone


def remove_left_best_effort(settings: Settings) -> None:
    """Remove leftovers of rehearsals; what fails is only logged: it must not end the run that does this by the way."""
    try:
        for words in remove_left(settings, patience=3.0):
            get_logger("slipway.hooks").warning("a rehearsal that ended in between left %s; it is removed", words)
    except (OutsideError, SlipwayError) as error:
        get_logger("slipway.hooks").warning("whether a rehearsal left anything is not known: %s", error)


def rehearsal_leftovers(settings: Settings) -> list[str]:
    """Resources of rehearsals at DigitalOcean now, in words."""
    account = find_account(settings)
    if account is None:
        return []
    with account.client() as client:
        droplets = [f"droplet {d.name} ({d.id})" for d in client.droplets.all(tag=REHEARSAL)]
        return droplets + [f"snapshot {s.name}" for s in client.snapshots.all() if REHEARSAL in s.tags]


def _one_a_run(found: Sequence[_Resource], made: str) -> list[_Resource]:
    """Those that a rehearsal made: they have its tags, with one run's. A run makes one of a kind, so where more say
    that they are its own, something is wrong, and none is taken.

    Args:
        made: the tag of what Slipway made of this kind.
    """
    runs: dict[str, list[_Resource]] = {}
    for one in found:
        named = _tag_values(one.tags, _RUN)
        if {REHEARSAL, made} <= set(one.tags) and len(named) == 1:
            runs.setdefault(named[0], []).append(one)
    for run, several in runs.items():
        if len(several) > 1:
            get_logger("slipway.hooks").warning(
                "%s say all that the rehearsal %s made them, and it makes one; none is removed. Look at them in the "
                "control panel", ", ".join(f"{one.name} ({one.id})" for one in several), run,
            )  # fmt: skip
    return [several[0] for several in runs.values() if len(several) == 1]


def _switch_away(settings: Settings) -> None:
    """Send the rehearsal's switch to the other colour, if it points at the droplet that is to be removed."""
    if not settings.rehearsal_switch:
        return
    try:
        with open_switch(rehearsal_switch(settings)) as switch:
            colour, seen = rehearsal_colour(switch, settings.rehearsal_droplet), switch.read()
            if colour in seen.active:
                switch.switch_to(other(colour), seen, "the end of a rehearsal")
            switch.finish()
    except (OutsideError, SlipwayError) as error:
        get_logger("slipway.hooks").warning("the rehearsal's switch was not sent back: %s", error)


def _is_over(tags: Sequence[str], mine: str) -> bool:
    """Whether the run that made what has these tags has ended.

    It has when nobody holds its lock. Where that cannot be asked, its state in Prefect decides; a run that Prefect does
    not know any more has ended.
    """
    [run], likes = _tag_values(tags, _RUN), _tag_values(tags, _LIKE)
    if run == mine:
        return True
    like = find_droplet(likes[0]) if likes else None
    try:
        if like:
            with rehearsal_lock(like):
                return True
    except DropletBusy:
        return False
    except (OutsideError, SlipwayError) as error:
        get_logger("slipway.hooks").warning("whether a rehearsal is under way cannot be asked: %s", error)
    with get_client(sync_client=True) as client:
        try:
            state = client.read_flow_run(UUID(run)).state
        except (ObjectNotFound, ValueError):
            return True
    return state is None or state.is_final()


def _tag_values(tags: Sequence[str], prefix: str) -> list[str]:
    return [tag.removeprefix(prefix) for tag in tags if tag.startswith(prefix)]
