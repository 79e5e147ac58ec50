"""system-prune: the classic script's last resort on a droplet whose disk is full, without its danger."""

import time

from flows.core.droplet.places import block_of
from flows.core.errors import NotConfirmed
from flows.core.prune.system_prune import PrunableObjects, SystemPruned
from flows.settings import Settings
from flows.tasks.droplet.connection import connected
from flows.tasks.droplet.lock import locked
from flows.tasks.prune.system_prune import list_prunable, read_prunable_objects, run_system_prune
from flows.tasks.runs.blocks import load_droplet
from flows.tasks.runs.declaration import flow
from flows.tasks.stack.run_names import run_name


@flow(name="system-prune", flow_run_name=run_name("system prune on {droplet}"))
def system_prune(droplet: str | None = None, confirm: str = "", wait: float = 0.0) -> SystemPruned:
    """Remove everything unused from a droplet, of every project: `docker system prune --volumes --force`.

    Stopped containers, dangling images, unused networks, anonymous volumes and the builder cache go; named volumes and
    what the releases on the droplet need stay. `prune` is what you want; this is for a full disk that it did not help.

    Args:
        droplet: name of the Droplet block; default: the setting `droplet`.
        confirm: the droplet's name once more, so that nobody does this by accident.
        wait: seconds to wait while another run changes the droplet.

    Raises:
        EngineTooOld, NotConfirmed: nothing was changed.
        VolumeLost: a named volume is gone.
    """
    began = time.monotonic()
    target = load_droplet(block_of(droplet or Settings().deployed_to))
    with connected(target) as session:
        prunable = list_prunable(session, target.directory)
        if confirm != target.name:
            raise NotConfirmed(
                f"{target.name}: a system prune takes what every project left there; what, stands in the artifact "
                f"system-prune-{target.name}. Nothing was changed. If that is meant: "
                f"slipway system-prune --droplet {target.name} --confirm {target.name}"
            )
        with locked(session, target.directory, "system prune", wait) as lock:
            freed = run_system_prune(lock, target.directory)
    return SystemPruned(target.name, prunable, freed, time.monotonic() - began)


def prunable_on(droplet: str | None) -> tuple[str, PrunableObjects]:
    """The droplet's name, and what a system prune would take from it: for whoever is asked, before any run.

    Raises:
        EngineTooOld
    """
    target = load_droplet(block_of(droplet or Settings().deployed_to))
    with connected(target) as session:
        return target.name, read_prunable_objects(session, target.directory)
