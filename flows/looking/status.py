"""Which release each droplet runs, and how its services are, and what was deployed there: asked side by side."""

from concurrent.futures import ThreadPoolExecutor

from flows.api.client import PrefectApi
from flows.core.droplet.sections import section_script, sections
from flows.core.insight.status import read_status, status_script, with_traffic
from flows.core.records.history import History
from flows.core.records.storage import history_sections, read_records
from flows.core.results import DropletStatus
from flows.looking.places import LookedAt, ask_each, named_places
from flows.looking.traffic import Traffic, read_traffic
from flows.settings import Settings

_TIMEOUT_S = 60.0


def look_at_droplets(
    api: PrefectApi, stack: str, droplet: str | None, settings: Settings
) -> tuple[dict[str, DropletStatus], Traffic]:
    """The status of the droplets that are shown, or of the one that is named, and where traffic goes.

    Raises:
        what opening a droplet raises, when it was asked for by name.
    """
    with ThreadPoolExecutor(1) as pool:
        traffic = pool.submit(read_traffic, api, settings) if settings.switch or settings.active_url else None
        seen = ask_each(_status, named_places(api, stack, droplet, settings).values())
        said = traffic.result() if traffic else Traffic()
    alone = len(settings.shown) == 1
    found = {}
    for name, one in seen.items():
        if isinstance(one, Exception):
            if droplet:
                raise one
            found[name] = DropletStatus(None, None, trouble=str(one))
        else:
            found[name] = with_traffic(
                one, name, settings.colours, settings.home, said.active, said.shares, alone=alone
            )
    return found, said


def look_back(api: PrefectApi, stack: str, droplet: str | None, settings: Settings) -> dict[str, History]:
    """The release records of droplets; one that cannot be reached is left out, unless it was named."""
    found = {}
    for name, one in ask_each(_history, named_places(api, stack, droplet, settings).values()).items():
        if isinstance(one, History):
            found[name] = one
        elif droplet:
            raise one
    return found


def _status(place: LookedAt) -> DropletStatus:
    with place.session() as session:
        said = session.run(status_script(place.directory), timeout=_TIMEOUT_S, name="status").out
    return read_status(said, place.directory.stack)


def _history(place: LookedAt) -> History:
    with place.session() as session:
        said = session.run(section_script(history_sections(place.directory)), timeout=_TIMEOUT_S, name="history").out
    return read_records(sections(said), place.directory.stack)
