"""provision: a droplet like another one, reached by a host key that nobody else can have, and ready for a release."""

import time

from prefect.logging import get_run_logger

from blocks import Droplet
from blocks.digitalocean.client import DigitalOcean
from blocks.digitalocean.models import DropletInfo, NewDroplet
from blocks.ssh.keys import new_host_key
from flows.core.cloud.costs import Cost, cost_lines, droplet_cost
from flows.core.cloud.provisioning import NOT_YET, cloud_config, missing_firewalls
from flows.core.cloud.results import Provisioned
from flows.core.cloud.snapshots import OURS, PROVISIONED, snapshots_of
from flows.core.errors import CannotProvision, HostKeyNotConfirmed
from flows.settings import Approval, Settings
from flows.tasks.cloud.droplets import (
    account_key_fingerprint,
    check_engine,
    create_droplet,
    known_snapshots,
    remove_droplet,
    replace_host_key,
)
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.blocks import block_cache, find_droplet, load_account, load_droplet
from flows.tasks.runs.declaration import flow
from flows.tasks.stack.run_names import run_name
from flows.tasks.traffic.approval import approval_mode, ask_for_approval


@flow(name="provision", flow_run_name=run_name("provision {name} like {like}"))
def provision(
    name: str,
    like: str,
    image: str | None = None,
    size: str | None = None,
    region: str | None = None,
    install_engine: bool = False,
    approval: Approval | None = None,
    tags: list[str] | None = None,
) -> Provisioned:
    """Make a droplet like another one, from its newest snapshot or from an image, and save its block.

    Running it again finishes what a killed run began; there is never a second droplet of the name.

    Args:
        name: of the droplet at DigitalOcean, and of its Droplet block.
        like: the Droplet block whose size, region, network, tags, user and key are taken.
        image: a snapshot's id, or a distribution's slug; default: the newest snapshot of ours of that droplet.
        size: another one than that droplet's.
        region: another one than that droplet's.
        install_engine: install Docker where it is missing, from the distribution.
        approval: never: nobody is asked; otherwise a person is, because it costs. Default: the setting.
            Through the API, the stricter of both.
        tags: what else it is tagged with.

    Raises:
        CannotProvision: something is in the way; nothing was created.
        NotApproved: a person said no.
    """
    began, settings = time.monotonic(), Settings()
    with block_cache(), load_account(settings).client() as client:
        old = load_droplet(like)
        info = client.droplets.named(like)
        wanted = _wanted(client, name, old, info, image, size, region, tuple(tags or ()))
        cost = _refuse(client, name, info, wanted)
        sentence = f"Droplet {name} ({wanted.size}, {wanted.region}) is made of {wanted.image}, like {like}."
        get_run_logger().info("%s %s", sentence, cost_lines([cost]))
        if approval_mode(approval, settings) != "never" and not client.droplets.all(name=name):
            until = f"It costs from now on, until it is removed: slipway decommission {name}"
            question = f"### {sentence}\n\n{cost_lines([cost])}\n\n{until}"
            ask_for_approval(question, f"provisioning of {name}", settings.approval_timeout)
        made, block = _made(client, wanted, old)
    engine = check_engine(block, install_engine)
    found = {"droplet": name, "id": made.id, "address": made.public_ip, "cost": str(cost), "engine": engine}
    table(f"provision-{name}", [found], sentence)
    return Provisioned(name, made.id, made.public_ip, cost, engine, block.host_key, time.monotonic() - began)


def _wanted(
    client: DigitalOcean, name: str, old: Droplet, info: DropletInfo, image: str | None, size: str | None,
    region: str | None, tags: tuple[str, ...],
) -> NewDroplet:  # fmt: skip
    if image is None:
        newest = next(iter(snapshots_of(known_snapshots(client.snapshots.all()), info.id)), None)
        if newest is None:
            raise CannotProvision(
                f"droplet {info.name} has no snapshot of ours. Take one: slipway snapshot {info.name}; or name an "
                "image: --image debian-13-x64"
            )
        image = newest.id
    kept = tuple(tag for tag in info.tags if not tag.startswith("slipway-"))
    return NewDroplet(
        name, region or info.region, size or info.size, int(image) if image.isdigit() else image,
        (account_key_fingerprint(old),), tuple(dict.fromkeys((*kept, OURS, PROVISIONED, *tags))),
        info.vpc if region in (None, info.region) else "",
    )  # fmt: skip


def _refuse(client: DigitalOcean, name: str, info: DropletInfo, wanted: NewDroplet) -> Cost:
    """What it costs. Raises CannotProvision."""
    account, every = client.account(), client.droplets.all()
    mine = [droplet for droplet in every if droplet.name == name]
    if not mine and len(every) >= account.droplet_limit:
        raise CannotProvision(
            f"the account may have {account.droplet_limit} droplets, and has {len(every)}. Nothing was created. "
            "Have the limit raised in the control panel, or remove one"
        )
    block = find_droplet(name)
    if block and not mine and block.host != NOT_YET:
        raise CannotProvision(
            f"there is a Droplet block {name} already, at {block.host}, and no droplet of that name at DigitalOcean. "
            "Nothing was created. Take another name, or delete the block"
        )
    walls = {wall.name: wall.tags for wall in client.droplets.firewalls(info.id)}
    if missing := missing_firewalls(walls, wanted.tags):
        raise CannotProvision(
            f"firewall {', '.join(missing)} guards {info.name} by its id, and would not guard {name}. Nothing was "
            f"created. Attach it by a tag that {info.name} has: doctl compute firewall add-tags"
        )
    if wanted.size != info.size:
        return Cost(f"droplet {name} ({wanted.size}), whose price the API does not tell beforehand", 0.0, 0.0)
    return droplet_cost(name, info.size, info.price_hourly, info.price_monthly)


def _made(client: DigitalOcean, wanted: NewDroplet, old: Droplet) -> tuple[DropletInfo, Droplet]:
    """The droplet and its block, trusted. One that an earlier run made and that we do not know by its key (it was
    killed in between) is of no use to anybody: it is made anew."""
    for _ in range(2):
        known, there = find_droplet(wanted.name), client.droplets.all(name=wanted.name)
        if known is None or not there:
            private, public = new_host_key()
            wanted = NewDroplet(**{**vars(wanted), "user_data": cloud_config(private, public)})
            known = _save(old, wanted.name, NOT_YET, public)  # before it is made: a killed run knows it again
        made = create_droplet(client, wanted)
        known = _save(known, wanted.name, made.public_ip, known.host_key)
        try:
            return made, _save(known, wanted.name, made.public_ip, replace_host_key(known))
        except HostKeyNotConfirmed as error:
            if not there:
                raise
            get_run_logger().warning("%s is not known by its key: %s. It is made anew", wanted.name, error)
            remove_droplet(client, made)
    raise HostKeyNotConfirmed(f"droplet {wanted.name} cannot be trusted. Remove it: slipway decommission {wanted.name}")


def _save(like: Droplet, name: str, host: str, host_key: str) -> Droplet:
    block = Droplet(
        host=host, port=22, user=like.user, private_key=like.private_key, host_key=host_key, directory=like.directory
    )
    block.save(name, overwrite=True)
    block._block_document_name = name
    return block
