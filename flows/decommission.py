"""decommission: remove a droplet that `provision` made, after a person said yes to that very one."""

import time

from blocks import Droplet
from blocks.digitalocean.client import DigitalOcean
from blocks.digitalocean.models import DropletInfo
from blocks.errors import OutsideError
from flows.core.cloud.costs import droplet_cost
from flows.core.cloud.provisioning import NOT_YET
from flows.core.cloud.results import Decommissioned
from flows.core.cloud.snapshots import PROVISIONED
from flows.core.droplet.places import block_of
from flows.core.errors import CannotDecommission
from flows.settings import Approval, Settings
from flows.tasks.cloud.droplets import remove_droplet
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.blocks import block_cache, find_droplet, forget_block, load_account
from flows.tasks.runs.declaration import flow
from flows.tasks.stack.run_names import run_name
from flows.tasks.traffic.approval import approval_mode, ask_for_approval
from flows.tasks.traffic.switch import open_switch


@flow(name="decommission", flow_run_name=run_name("decommission {name}"))
def decommission(name: str, approval: Approval = "always", keep_block: bool = False) -> Decommissioned:
    """Destroy a droplet that `provision` made, and delete its block. Its snapshots stay. Twice is fine.

    Args:
        name: of the droplet at DigitalOcean, and of its Droplet block.
        approval: never: nobody is asked; otherwise a person is, by the droplet's name and id. Through the API, the
            setting counts where it is stricter.
        keep_block: leave its Droplet block.

    Raises:
        CannotDecommission: it was not made by `provision`, or traffic reaches it, or it is the data home.
        NotApproved: a person said no.
    """
    began, settings = time.monotonic(), Settings()
    with block_cache(), load_account(settings).client() as client:
        found = _found(client, name, settings)
        if found and approval_mode(approval, settings) != "never":
            ask_for_approval(_question(found), f"removal of droplet {name}", settings.approval_timeout)
            refuse(found, settings)  # the answer takes time, and traffic may have moved meanwhile
        removed = found is not None and remove_droplet(client, found)
    if find_droplet(name) and not keep_block and (found or _ours(name)):
        forget_block(Droplet, name)
    rows: list[dict[str, object]] = [{"droplet": name, "id": found.id, "was at": found.public_ip}] if found else []
    table(f"decommission-{name}", rows, name)
    return Decommissioned(name, removed, time.monotonic() - began)


def _found(client: DigitalOcean, name: str, settings: Settings) -> DropletInfo | None:
    """The droplet of this name, which may be removed; None where there is none. Raises CannotDecommission."""
    found = client.droplets.all(name=name)
    for info in found:
        refuse(info, settings)
    if len(found) > 1:
        which = " and ".join(f"{info.id} ({info.public_ip})" for info in found)
        raise CannotDecommission(
            f"{len(found)} droplets are named {name}: {which}. Slipway makes one of a name, so none was removed. "
            "Remove the wrong one in the control panel, and run the same command again"
        )
    return found[0] if found else None


def refuse(info: DropletInfo, settings: Settings) -> None:
    """Raises CannotDecommission."""
    if PROVISIONED not in info.tags:
        raise CannotDecommission(
            f"droplet {info.name} ({info.id}) has no tag {PROVISIONED}: Slipway did not make it, and will not remove "
            "it. If it is to go, remove it in the control panel"
        )
    if info.name == block_of(settings.home):
        raise CannotDecommission(f"droplet {info.name} is the data home: what it keeps is nowhere else. It stays")
    if info.name == settings.shared_droplet:
        raise CannotDecommission(f"droplet {info.name} has both colours, so traffic reaches it. It stays")
    colour = settings.colours.of(info.name)
    if colour and settings.switch:
        with open_switch(settings) as switch:
            try:
                active = switch.read().active
            except OutsideError as error:
                raise CannotDecommission(
                    f"whether traffic reaches {info.name} cannot be told: {error}. It stays"
                ) from None
        if colour in active:
            raise CannotDecommission(
                f"droplet {info.name} is {colour}, which traffic reaches through {switch}. Send it away first: "
                "slipway switch-back"
            )


def _question(i: DropletInfo) -> str:
    return (
        f"### Droplet {i.name} ({i.id}, {i.public_ip}, {i.size} in {i.region}) is destroyed, with all on it.\n\n"
        f"It costs until then: {droplet_cost(i.name, i.size, i.price_hourly, i.price_monthly)}. Snapshots of it stay."
        "\n\nNo answer means no."
    )


def _ours(name: str) -> bool:
    """Whether a block is what an interrupted `provision` or `decommission` left: it has no other use."""
    block = find_droplet(name)
    return block is not None and block.host == NOT_YET
