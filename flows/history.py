"""history: what was deployed to each droplet, when, by whom, and what became of it."""

from blocks.errors import OutsideError
from flows.core.errors import BlockMissing
from flows.core.records.history import History
from flows.core.records.record import Record
from flows.settings import Settings
from flows.tasks.droplet.target import Target
from flows.tasks.records.history import load_history
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.blocks import load_droplet
from flows.tasks.runs.declaration import flow
from flows.tasks.stack.project import stack_name
from flows.tasks.stack.run_names import run_name


@flow(name="history", flow_run_name=run_name("look back at {stack}"))
def history(stack: str | None = None, droplets: list[str] | None = None) -> dict[str, History]:
    """Read the release records of droplets, and change nothing.

    Args:
        stack: the stack's name, or its compose file; default: the setting `stack`.
        droplets: names of Droplet blocks; default: both colours and the data home, those that were saved.
    """
    settings = Settings()
    name = stack_name(stack or settings.stack)
    found: dict[str, History] = {}
    for droplet in droplets or settings.shown:
        try:
            target = Target.of(load_droplet(droplet), settings.name_on(droplet, name), settings)
            with target.connected() as session:
                found[droplet] = load_history(session, target.directory)
        except (BlockMissing, OutsideError):
            if droplets:
                raise
    rows = [_row(droplet, said, record) for droplet, said in found.items() for record in reversed(said.records)]
    table(f"history-{name}", rows, f"What was deployed to the droplets of {name}")
    return found


def _row(droplet: str, said: History, record: Record) -> dict[str, object]:
    return {
        "droplet": droplet,
        "number": record.number,
        "what": record.kind,
        "release": record.tag,
        "outcome": record.outcome.value,
        "runs": record == said.deployed(),
        "began": record.began,
        "by": record.run.by,
        "run": record.run.url,
        "environment": record.environment,
        "instead of": record.previous_tag,
        "why": record.reason,
    }
