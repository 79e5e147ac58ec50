"""The plan of a prune: what is removed from a droplet, and why the rest stays. Never a volume or a network."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from flows.core.errors import BadRelease
from flows.core.prune.inventory import ContainerEntry, Inventory, LocalImage
from flows.core.prune.removal import Item, Kind, Removal
from flows.core.records.history import History
from flows.core.records.retention import is_release, why_kept
from flows.core.registry.references import split_reference
from flows.core.release.release import Release, read_release
from flows.core.release.role import whole_stack


def plan_removal(inventory: Inventory, history: History, keep: int) -> Removal:
    """Decide what is removed: only what has our label, and what no kept release needs.

    Args:
        keep: how many good releases stay.

    Raises:
        BadRetention: fewer than one.
    """
    reasons = why_kept(history, keep)
    if not history.records and not history.damaged and not history.current:
        return Removal(warnings=(f"nothing of {inventory.stack} was ever released here, so nothing here is ours",))
    needed, unknown = _needed(inventory, reasons)
    current = _document(inventory, history.current)
    containers = list(_containers(inventory, current))
    releases = [_release(name, inventory, reasons) for name in sorted(history.kept)]
    goes, left = _split(releases)
    incoming = [Item(Kind.INCOMING, name, name, "was on its way when its run ended") for name in inventory.incoming]
    gone = {item.id for item in containers}
    images = [_image(image, inventory, needed, unknown, gone) for image in _ours(inventory)]
    images_go, images_left = _split(images)
    good = history.last_known_good()
    return Removal(
        (*containers, *images_go, *goes, *incoming),
        (*left, *images_left),
        tuple(_warnings(inventory, history, unknown)),
        good.tag if good else "",
    )


Judged = tuple[bool, Item]


def _split(judged: Iterable[Judged]) -> tuple[list[Item], list[Item]]:
    """The items that are removed, and those that stay."""
    every = list(judged)
    return [item for goes, item in every if goes], [item for goes, item in every if not goes]


def _release(name: str, inventory: Inventory, reasons: Mapping[str, str]) -> Judged:
    stays = reasons.get(name, "")
    if not stays and not is_release(name):
        stays = "Slipway gives no such names"
    if not stays and name in inventory.mounted:
        stays = f"{', '.join(inventory.mounted[name])} has files of it mounted"
    if not stays and inventory.hidden:
        stays = f"whether {', '.join(inventory.hidden)} has files of it mounted cannot be seen"
    return not stays, Item(Kind.RELEASE, name, name, stays or "none of those that are kept")


def _ours(inventory: Inventory) -> Iterator[LocalImage]:
    """Images with the stack's label. What a data home runs has that of the whole stack; there it is ours when it is
    of a repository that the releases here use."""
    documents = (_read(text) for text in inventory.documents.values())
    used = {_repository(ref) for release in documents if release for ref in release.services.values()}
    for image in inventory.images:
        shared = image.project == whole_stack(inventory.stack) and any(_repository(d) in used for d in image.digests)
        if image.project == inventory.stack or shared:
            yield image


def _image(
    image: LocalImage, inventory: Inventory, needed: Mapping[str, str], unknown: str, gone: Collection[str]
) -> Judged:
    """Whether an image is removed: one with a digest can be pulled again, one without was built here."""
    users = [c.name for c in inventory.containers if c.image == image.id and c.id not in gone]
    wanted = [needed[digest] for digest in map(_digest, image.digests) if digest in needed]
    stays = ""
    if users:
        stays = f"{users[0]} uses it"
    elif wanted:
        stays = f"release {wanted[0]} needs it"
    elif unknown or not inventory.whole:
        stays = "whether it is needed is unknown"
    elif not image.digests:
        stays = "it was built here, and no registry has it"
    references = (*image.tags, *image.digests)
    reason = stays or "no kept release needs it, and no container uses it"
    return not stays, Item(Kind.IMAGE, image.id, image.name, reason, references, image.size)


def _containers(inventory: Inventory, current: Release | None) -> Iterator[Item]:
    """Containers to remove: ended one-off runs, those of services that left the stack, and leftovers of a cut `up`."""
    mine = [c for c in inventory.containers if c.project == inventory.stack and c.service and c.one_off and c.number]
    for container in mine:
        if container.one_off == "True":
            if container.stopped:
                yield _container(container, "a `compose run` that has ended")
        elif current is not None and container.service not in current.services:
            yield _container(container, f"release {current.tag} has no service {container.service}")
    places: dict[tuple[str, str], list[ContainerEntry]] = {}
    for container in mine:
        if current is not None and container.one_off == "False" and container.service in current.services:
            places.setdefault((container.service, container.number), []).append(container)
    for crowd in places.values():
        best = max(crowd, key=lambda c: (not c.stopped, c.state == "exited", -len(c.name), c.id))
        for container in crowd:
            if container is not best and container.stopped:
                yield _container(container, f"an interrupted start left it beside {best.name}")


def _container(container: ContainerEntry, reason: str) -> Item:
    return Item(Kind.CONTAINER, container.id, container.name, reason, running=not container.stopped)


def _needed(inventory: Inventory, reasons: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Digest → a kept release that needs it; and the names of kept releases whose document cannot be read."""
    needed: dict[str, str] = {}
    unknown = []
    for name in reasons:
        release = _document(inventory, name)
        if release is None:
            unknown.append(name)
            continue
        needed |= {_digest(reference): name for reference in (*release.services.values(), *release.images)}
    for name, text in inventory.others.items():
        if (release := _read(text)) is None:
            unknown.append(name)
        else:
            needed |= {_digest(reference): name for reference in (*release.services.values(), *release.images)}
    return needed, ", ".join(unknown)


def _document(inventory: Inventory, name: str) -> Release | None:
    return _read(inventory.documents.get(name, ""))


def _read(document: str) -> Release | None:
    try:
        return read_release(document.encode())
    except BadRelease:
        return None


def _digest(reference: str) -> str:
    return split_reference(reference)[1]


def _repository(reference: str) -> str:
    return split_reference(reference)[0]


def _warnings(inventory: Inventory, history: History, unknown: str) -> Iterator[str]:
    if history.damaged:
        yield f"no release is removed: of the history, {', '.join(history.damaged)} cannot be read"
    if unknown:
        yield f"no image is removed: of release {unknown} no document can be read, so nobody knows what it needs"
    elif not inventory.whole:
        yield "no image is removed: a container came or went while we looked, so nobody knows which are used"
    if inventory.hidden:
        yield f"no release is removed: the mounts of {', '.join(inventory.hidden)} cannot be seen"
