"""status: which release each droplet runs, and how its services are."""

from collections.abc import Sequence

from flows.core.results import DropletStatus
from flows.settings import Settings
from flows.tasks.insight.droplets import read_droplets
from flows.tasks.insight.overview import keep_overview
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.declaration import flow, note_change
from flows.tasks.stack.project import stack_name
from flows.tasks.stack.run_names import run_name


@flow(name="status", flow_run_name=run_name("look at {stack}"), overview=keep_overview)
def status(stack: str | None = None, droplets: list[str] | None = None) -> dict[str, DropletStatus]:
    """Look at droplets and change nothing.

    Args:
        stack: the stack's name, or its compose file; default: the setting `stack`.
        droplets: names of Droplet blocks; default: both colours and the data home, those that were saved.

    Raises:
        what opening a droplet raises, when it was asked for by name.
    """
    settings = Settings()
    name = stack_name(stack or settings.stack)
    found, _ = read_droplets(name, settings, droplets)
    table(f"status-{name}", _rows(found), f"Droplets of {name}")
    if not droplets:
        note_change(name)
    return found


def _rows(found: dict[str, DropletStatus]) -> Sequence[dict[str, object]]:
    return [
        {
            "droplet": droplet,
            "active": "asleep" if said.asleep else said.active,
            **({"clients": f"{said.share} %"} if said.share is not None else {}),
            "release": said.release or "none",
            "outcome": said.record.outcome.value if said.record else "",
            "service": name,
            **state.as_json(),
        }
        for droplet, said in found.items()
        for name, state in (said.services.items() or [])
    ]
