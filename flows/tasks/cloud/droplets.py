"""Steps on droplets at DigitalOcean: snapshot, create, replace the host key, check the engine, remove."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from prefect.logging import get_run_logger

from blocks import Droplet
from blocks.digitalocean.client import DigitalOcean
from blocks.digitalocean.models import DropletInfo, NewDroplet
from blocks.digitalocean.models import Snapshot as AtDigitalOcean
from blocks.digitalocean.waiting import appeared
from blocks.errors import ActionUnfinished, ApiFailed, HostKeyRefused, RemoteFailed, Unreachable
from blocks.polling import attempt
from blocks.ssh.keys import read_private_key
from flows.core.cloud.provisioning import ENGINE, INSTALL_ENGINE, MAKE_HOST_KEY, USE_HOST_KEY
from flows.core.cloud.snapshots import OURS, PROVISIONED, SNAPSHOT, DropletSnapshot
from flows.core.errors import HostKeyNotConfirmed, NoEngine
from flows.tasks.runs.declaration import task
from flows.tasks.runs.retries import ONCE

SNAPSHOT_TIME, DROPLET_TIME, POWER_TIME = 3600.0, 600.0, 120.0
_QUICK, _INSTALL, _REACHED = 30.0, 600.0, 180.0


def known_snapshots(found: Sequence[AtDigitalOcean]) -> list[DropletSnapshot]:
    """Snapshots of the API as those of the core."""
    return [DropletSnapshot(s.id, s.name, s.created_at, s.droplet, s.size, s.tags) for s in found]


def utc() -> str:
    """The current time, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def warn_elsewhere(info: DropletInfo, droplet: Droplet) -> None:
    """Log a warning when a block and the droplet of its name at DigitalOcean have different addresses."""
    if droplet.host not in (info.public_ip, info.private_ip):
        get_run_logger().warning(
            "droplet %s is at %s, and DigitalOcean's %s at %s: make sure that this is the same one",
            droplet.name, droplet.host, info.name, info.public_ip,
        )  # fmt: skip


@task(name="take snapshot", task_run_name="take snapshot {name}", **ONCE)
def take_snapshot(
    client: DigitalOcean, info: DropletInfo, name: str, power_off: bool, tags: Sequence[str]
) -> DropletSnapshot:
    """Take a snapshot of a droplet, live or powered off, and tag it as ours.

    A droplet that was powered off is powered on again in any case.

    Raises:
        ActionFailed, ActionUnfinished
        ApiFailed: there is no snapshot of that name of that droplet afterwards, or several.
    """
    tell = get_run_logger().info
    if power_off:
        _power_off(client, info)
    try:
        client.droplets.act(info.id, "snapshot", SNAPSHOT_TIME, tell, anew=True, name=name)
    finally:
        if power_off:
            client.droplets.act(info.id, "power_on", POWER_TIME, tell)
    made = _made(client, info, name)
    for tag in (OURS, SNAPSHOT, *tags):
        client.tags.add(tag, made.id, "image")
    return made


def _made(client: DigitalOcean, info: DropletInfo, name: str) -> DropletSnapshot:
    """The snapshot that this run has made: another one, also a newer one, is somebody else's."""

    def look() -> list[DropletSnapshot] | None:
        every = known_snapshots(client.snapshots.all())
        return [one for one in every if one.name == name and one.droplet == str(info.id)] or None

    found = appeared(look) or []
    if len(found) != 1:
        raise ApiFailed(
            f"DigitalOcean: the snapshot {name} of {info.name} is finished, and there are {len(found)} of that name. "
            "None was tagged or used. Look at them in the control panel, then take another: slipway snapshot"
        )
    return found[0]


def _power_off(client: DigitalOcean, info: DropletInfo) -> None:
    tell = get_run_logger().info
    try:
        client.droplets.act(info.id, "shutdown", POWER_TIME, tell)
    except ActionUnfinished as error:
        get_run_logger().warning("%s", error)
    if client.droplets.get(info.id).status != "off":
        client.droplets.act(info.id, "power_off", POWER_TIME, tell)


@task(name="create droplet", task_run_name="create droplet {wanted.name}", **ONCE)
def create_droplet(client: DigitalOcean, wanted: NewDroplet) -> DropletInfo:
    """Create a droplet, or find the one that an earlier run created.

    Raises:
        ApiFailed, ActionUnfinished
    """
    return client.droplets.create(wanted, DROPLET_TIME, get_run_logger().info)


@task(name="remove droplet", task_run_name="remove droplet {info.name}", **ONCE)
def remove_droplet(client: DigitalOcean, info: DropletInfo) -> bool:
    """Destroy a droplet that `provision` made, and wait until it is gone. Returns whether there was one.

    Raises:
        ApiFailed: it is another one by now.
    """
    return client.droplets.remove(info, PROVISIONED, POWER_TIME, get_run_logger().info)


@task(name="trust droplet", task_run_name="make a host key on {droplet.name}", **ONCE)
def replace_host_key(droplet: Droplet) -> str:
    """Have a new droplet replace the host key that it got by user data with one of its own; returns its public half.

    User data can be read on the droplet by whatever reaches the metadata service.

    Raises:
        HostKeyNotConfirmed: it shows another key. Unreachable: it cannot be reached in time.
    """
    try:
        made = attempt(lambda: _run(droplet, MAKE_HOST_KEY), Unreachable, _REACHED, pause=1.0)
    except HostKeyRefused as error:
        raise HostKeyNotConfirmed(str(error)) from None
    new = " ".join(made.split()[:2])
    renewed = droplet.model_copy(update={"host_key": new})
    try:
        _run(droplet, USE_HOST_KEY)
        attempt(lambda: _run(renewed, "true"), (HostKeyRefused, Unreachable), _QUICK, pause=0.5)
    except (HostKeyRefused, RemoteFailed) as error:
        raise HostKeyNotConfirmed(f"{droplet.address} did not take its new host key: {error}") from None
    return new


def _run(droplet: Droplet, script: str) -> str:
    with droplet.session() as session:
        return session.run(script, timeout=_QUICK).out


@task(name="check engine", task_run_name="look for Docker on {droplet.name}", **ONCE)
def check_engine(droplet: Droplet, install: bool) -> str:
    """The versions of Docker Engine and Compose in words; they are installed first where that is asked for.

    Raises:
        NoEngine
    """
    with droplet.session() as session:
        answer = session.run(ENGINE, timeout=_QUICK * 2, check=False)
        if answer.code and install:
            get_run_logger().info("installing Docker Engine and Compose on %s", droplet.name)
            session.run(INSTALL_ENGINE, timeout=_INSTALL)
            answer = session.run(ENGINE, timeout=_QUICK * 2, check=False)
    if answer.code:
        raise NoEngine(
            f"{droplet.address} has no Docker Engine with Compose v2. It is there, and costs: have it installed "
            f"(--install-engine, with the same command), or remove it: slipway decommission {droplet.name}"
        )
    engine, _, compose = answer.out.strip().partition("\n")
    return f"Docker Engine {engine}, Compose {compose}"


def account_key_fingerprint(droplet: Droplet) -> str:
    """The MD5 fingerprint of a droplet's private key, by which DigitalOcean's account lists it."""
    key = read_private_key(droplet.private_key.get_secret_value(), droplet.address)
    digest = hashlib.md5(key.asbytes(), usedforsecurity=False).hexdigest()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))
